import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Digest } from '#domain/canonical/digest.ts';
import type { FeatureEngine } from '#ports/feature-engine.ts';
import type { Lake } from '#ports/lake.ts';
import type { ModelArtifact } from '#ports/training-jobs.ts';
import { LOST } from '#test/domain/data/_joins.ts';
import { exportTrainingRows, rowsPrefix } from '#use-cases/retraining/export-training-rows.ts';
import { planWindows } from '#use-cases/retraining/plan-windows.ts';
import { admitDays } from './_admitted.ts';
import { type Environment, MODEL, world } from './_environments.ts';

const RUN = 'toy-run-1';
let dev: Environment;
beforeEach(async () => {
  dev = world().environment('dev');
  await admitDays(dev.ledger, '2001-01-01', '2001-01-19');
});

describe('the rows of a window', () => {
  const exported = async (change: { engine?: object; lake?: object } = {}) => {
    const planned = await planWindows(dev)({ model: MODEL, run: RUN, asOf: '2001-01-20' });
    const [window] = (planned as { windows: { plan: Digest }[] }).windows;
    const stored = new Map<string, string>();
    const training = {
      storeRows: async (key: string, path: string) => void stored.set(key, await readFile(path, 'utf8')),
      fetch: async () => false,
      readArtifact: async (): Promise<ModelArtifact> => ({ kind: 'read', files: new Map() }),
    };
    const engine = {
      exportTrainingRows: async ({ features, out }: { features: { day: string }[]; out: string }) => {
        await mkdir(out);
        const files = features.map(({ day }) => join(out, `train-${day}.parquet`));
        for (const file of files) await writeFile(file, 'rows');
        return { kind: 'built', rows: 9, positives: 1, files, joins: LOST };
      },
      ...change.engine,
    } as unknown as FeatureEngine;
    const lake: Lake = { ...dev.lake, fetch: async () => 'f', fetchSource: async () => 'l', ...change.lake };
    const result = await exportTrainingRows({ ...dev, engine, lake, training })({ plan: window?.plan });
    return { result, keys: [...stored.keys()] };
  };

  it('are stored a file per day, below the one prefix that the job can read', async () => {
    const { result, keys: stored } = await exported();
    // Of the days that lost labels the worst alone: the machine's document has no room for all.
    const joins = { ...LOST, days: [{ day: '2001-01-04', due: 400, unmatched: 20 }] };
    expect(result).toEqual({ status: 'exported', rows: 9, positives: 1, joins });
    expect(stored).toHaveLength(14);
    expect(stored[0]).toBe(`${rowsPrefix(RUN, 'all')}train-2001-01-01.parquet`);
    expect(stored).toEqual(stored.toSorted());
  });

  it('are refused, and not tried again, where they fit neither into memory nor on the disk', async () => {
    const refusal = { rule: 'data-fits-in-memory', found: 'features of 2001-01-03, 9 rows', remedy: 'shorten' };
    const engine = { exportTrainingRows: async () => ({ kind: 'refused', refusal }) };
    const reason = 'data-fits-in-memory: features of 2001-01-03, 9 rows; shorten';
    expect(await exported({ engine })).toEqual({ result: { status: 'refused', reason }, keys: [] });
    const failing = (code: string) => ({ fetch: () => Promise.reject(Object.assign(new Error(code), { code })) });
    expect((await exported({ lake: failing('ENOSPC') })).result).toMatchObject({
      status: 'refused',
      reason: expect.stringMatching(/more than the function's disk of \d+ MB; shorten the window/),
    });
    await expect(exported({ lake: failing('EIO') })).rejects.toThrow('EIO');
  });
});
