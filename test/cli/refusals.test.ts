import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byDay } from '#cli/commands/model/local-features.ts';
import { runTraining } from '#local/pipeline/training.ts';
import { inspect } from '#cli/commands/data/check.ts';
import { run as promote } from '#cli/commands/promotion/promote.ts';
import { run as why } from '#cli/commands/promotion/why.ts';
import { noteUndeployed } from '#cli/commands/run/deployed.ts';
import { mustBeKnown } from '#cli/references.ts';
import { main } from '#cli/program.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { partsOutput } from '#domain/model/deployed.ts';
import { localParts } from '#model/compile-deployment.ts';
import { compileModel } from '#model/compile.ts';
import { silentTerminal } from '../_helpers/terminal.ts';
import { testContext } from './_context.ts';
import { MODEL, home, record, rejected, withRelease, begin, end } from './_refused-runs.ts';

beforeAll(begin);
afterAll(end);

describe('a model that there is not', () => {
  it.each([
    ['status', 'flight-dely'],
    ['release', 'list', 'flight-dely'],
    ['history', 'flight-dely', '--env', 'prod'],
    ['prediction', 'show', 'flight-dely', '--env', 'prod'],
    ['run', 'start', 'flight-dely'],
    ['run', 'list', 'flight-dely'],
    ['data', 'check', 'flight-dely'],
    ['model', 'check', 'flight-dely'],
    ['fsck', 'flight-dely'],
  ])('is refused with the nearest name by %s %s', async (...typed) => {
    const terminal = silentTerminal({ GATEHOUSE_HOME: home });
    expect(await main(typed, terminal)).toBe(1);
    expect(terminal.shown.err).toContain('refused by model-known');
    expect(terminal.shown.err).toContain('there is no model flight-dely; there are: flight-delay');
    expect(terminal.shown.err).toContain('did you mean flight-delay?');
  });

  it('is one of which neither a folder nor a ledger knows', async () => {
    const test = testContext({});
    await record(test, 'dev', rejected);
    const folder = { ...test.context, modelFolders: [join(home, 'nothing')] };
    await mustBeKnown(folder, MODEL, 'dev');
    await expect(mustBeKnown(folder, MODEL, 'prod')).rejects.toMatchObject({
      refusal: { rule: 'model-known', found: 'there is no model flight-delay; there are: none' },
    });
  });

  it('is refused in the name of a release', async () => {
    const test = await withRelease({ release: 'flight-dely@0.1.1', to: 'prod' });
    await expect(why(test.context)).rejects.toMatchObject({
      refusal: { rule: 'model-known', remedy: 'did you mean flight-delay?' },
    });
  });
});

describe('what was typed wrongly', () => {
  it('is answered with what to type', async () => {
    const release = `${MODEL}@0.1.1`;
    const asked = (given: object) =>
      withRelease({ release, to: 'prod', ...given }).then(({ context }) => promote(context));
    await expect(asked({ hotfix: true })).rejects.toThrow(
      '--hotfix has no --reason; type: gatehouse promote flight-delay@0.1.1 --to prod --hotfix --reason "',
    );
    await expect(asked({ reason: 'renamed codes' })).rejects.toThrow('--reason is of a hotfix; add --hotfix');
    expect(() => byDay(['landing/part.parquet'], testContext({}).context)).toThrow(
      'landing/part.parquet: the path names no day; give files as in landing/events/dt=2026-03-01/*.parquet',
    );
  });
});

describe('data check', () => {
  it('says each expectation once, for all days', () => {
    const about = { suite: digestOf('suite'), rows: 9 };
    const failure = (found: string) => ({ expectation: 'expect_unique', about: 'column=id', found });
    const partitions = ['2026-03-01', '2026-03-02', '2026-03-03'].map((day) => ({
      kind: 'events' as const,
      day,
      digest: digestOf(day),
      objects: [{ bucket: 'b-1', key: 'k', versionId: 'v', sha256: digestOf(day), size: 1 }],
    }));
    const checked = partitions.map(({ kind, day, digest }, index) => ({
      ...about,
      kind,
      day,
      digest,
      failures: [failure(`${index} twice`)],
    }));
    expect(inspect(checked, partitions).groups).toEqual([
      'events of 3 days from 2026-03-01 to 2026-03-03: expect_unique(column=id): on the last 2 twice',
    ]);
    expect(inspect(checked, partitions.slice(1, 2)).groups).toEqual([
      'events of 2026-03-02: expect_unique(column=id): 1 twice',
    ]);
  });
});

describe('a training program that ends badly', () => {
  it('leaves its traceback with its failure', async () => {
    const folder = join(home, 'program');
    await mkdir(join(folder, 'rows'), { recursive: true });
    await writeFile(join(folder, 'train.mjs'), 'function fit() {\n  throw new Error("no rows");\n}\nfit();\n');
    const definition = await compileModel(join(import.meta.dirname, '../../models/flight-delay'));
    const training = { ...definition.training, local: ['node', 'train.mjs'] };
    const { failure } = await runTraining(
      { ...definition, training },
      folder,
      join(folder, 'rows'),
      join(folder, 'root'),
      () => {},
    );
    expect(failure).toMatch(/^the program ended with code 1\n[^]*Error: no rows\n +at fit .*train\.mjs:2/);
  });
});

describe('run start', () => {
  it('warns where files differ from what is deployed, and says which', async () => {
    const root = join(import.meta.dirname, '../..');
    const parts = await localParts(join(root, 'governance'), join(root, 'models', MODEL));
    const notes = async (deployed: object | undefined) => {
      const { context, notes: said } = testContext({});
      const outputs = deployed === undefined ? {} : { [partsOutput(MODEL)]: JSON.stringify(deployed) };
      await noteUndeployed(context, { outputs: () => Promise.resolve(outputs) }, MODEL);
      return said;
    };
    expect(await notes(parts)).toEqual([]);
    expect(await notes({ ...parts, 'expectations/': digestOf('other') })).toEqual([
      'deployed-files: expectations/ of flight-delay differ from what is deployed; the run reads what is deployed; deploy them: gatehouse deploy',
    ]);
    expect(await notes({})).toEqual([expect.stringMatching(/features\/ or training\/.*policy\.ts.*expectations/)]);
    expect(await notes(undefined)).toEqual([expect.stringMatching(/nothing deployed is known of flight-delay/)]);
  });
});
