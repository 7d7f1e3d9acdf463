import { copyFile, readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkPartition } from '#adapters/duckdb/check-partition.ts';
import { isAlerting } from '#domain/audit/events.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import type { ObjectReference } from '#domain/data/partition.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { advancePointer, pointerWrite } from '#domain/promotion/pointer.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import { definition as payments, eventsOf, labelsOf, workspace } from '#test/adapters/duckdb/_fixture.ts';
import { admitPartition } from '#use-cases/admission/admit-partition.ts';
import { bytes, deployed, definition as toy, type Environment, hours, MODEL, SQL, world } from './_environments.ts';
import { makeRelease } from './_releases.ts';

const { parquet } = workspace();
const DAY = '2026-03-01';
const definition: ModelDefinition = {
  ...toy,
  events: { ...toy.events, ...payments.events },
  labels: { ...toy.labels, ...payments.labels },
};
const source = { events: definition.events.source, labels: definition.labels.source };

let here: ReturnType<typeof world>;
let landed: Map<string, string>;
let versions: number;
beforeEach(() => {
  here = world();
  landed = new Map();
  versions = 0;
});

/** Lands a file and its marker, and has it admitted, as a producer and S3 would. */
async function land(
  env: Environment,
  kind: 'events' | 'labels',
  select: string | undefined,
  own = definition,
  copy = ({ key }: ObjectReference, path: string): Promise<void> => copyFile(landed.get(key) ?? '', path),
) {
  const folder = `${source[kind]}/dt=${DAY}/`;
  versions += 1;
  if (select === undefined) landed.delete(`${folder}_READY`);
  else {
    landed.set(`${folder}part-0.parquet`, await parquet(`${kind}-${versions}.parquet`, select));
    landed.set(`${folder}_READY`, landed.get(`${folder}part-0.parquet`) ?? '');
  }
  const list = async (prefix: string): Promise<ObjectReference[]> =>
    Promise.all(
      [...landed]
        .filter(([key]) => key.startsWith(prefix))
        .map(async ([key, file]) => {
          const content = await readFile(file);
          const at = { bucket: 'landing', key, versionId: String(versions) };
          return { ...at, sha256: digestOf(content), size: content.length };
        }),
    );
  const [model] = deployed.models;
  if (model === undefined) throw new Error('no model');
  return admitPartition(
    {
      ...env,
      deployed: { ...deployed, models: [{ ...model, definition: own }] },
      engine: { checkPartition },
      landing: { list, copy },
      announce: async () => undefined,
    },
    `${folder}_READY`,
  );
}

const EVENTS = eventsOf(DAY, 2);
const LABELS = labelsOf(DAY, DAY, 2);
const columns = 'source-columns-declared';
const ofDay = 'rows-of-partition-day';

describe.each(['dev', 'staging', 'prod'])('admission in %s', (name) => {
  it.each([
    [
      'labels',
      `SELECT * REPLACE (1::BIGINT AS bad) FROM (${LABELS})`,
      columns,
      'column bad is BIGINT, declared BOOLEAN',
    ],
    ['labels', `SELECT * REPLACE ('yes' AS bad) FROM (${LABELS})`, columns, 'column bad is VARCHAR, declared BOOLEAN'],
    ['labels', labelsOf(DAY, '2026-03-02', 2), ofDay, '2 rows of part-0.parquet of labels 2026-03-01 have'],
    ['events', eventsOf('2026-03-02', 2), ofDay, 'on another day (UTC)'],
    ['events', `SELECT * EXCLUDE (amount) FROM (${EVENTS})`, columns, 'column amount is missing'],
  ] as const)('refuses %s that features could not read (%#)', async (kind, select, rule, found) => {
    const env = here.environment(name);
    expect(await land(env, kind, select)).toMatchObject({ kind: 'refused', refusal: { rule } });
    expect(await env.ledger.query(keys.partitions(MODEL, kind))).toEqual([]);
    const told = (await env.chain()).at(-1);
    expect(told).toMatchObject({
      code: 'PARTITION_REFUSED',
      details: { kind, day: DAY, rule, found: expect.stringContaining(found) },
    });
    expect(isAlerting('PARTITION_REFUSED', {})).toBe(true);
    expect(await readOpenRefusals(env.ledger, MODEL)).toMatchObject([{ kind, day: DAY, rule }]);
  });
});

it('refuses files that the disk does not take', async () => {
  const env = here.environment('dev');
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  expect(await land(env, 'events', EVENTS, definition, () => Promise.reject(full))).toMatchObject({
    kind: 'refused',
    refusal: { rule: 'files-fit-on-disk', found: expect.stringContaining('disk of 4096 MB') },
  });
});

describe('a column that was added later', () => {
  it('may be lacking before its first day, and admits no day from it on', async () => {
    const env = here.environment('prod');
    const since = (day: string): ModelDefinition => {
      const columns = { ...definition.events.columns, fee: { type: 'DOUBLE', since: day, default: null } } as const;
      return { ...definition, events: { ...definition.events, columns } };
    };
    expect(await land(env, 'events', EVENTS, since(DAY))).toMatchObject({
      kind: 'refused',
      refusal: {
        rule: columns,
        found: `part-0.parquet of events ${DAY}: column fee is missing, which is declared since ${DAY}`,
        remedy:
          'write the partition with fee, or set since in model.ts to the first day that has it, and write the marker again',
      },
    });
    expect(await land(env, 'events', EVENTS, since('2026-03-02'))).toMatchObject({ kind: 'admitted' });
    expect(await readOpenRefusals(env.ledger, MODEL)).toEqual([]);
    const withFee = `SELECT *, 1.5::DOUBLE AS fee FROM (${EVENTS})`;
    expect(await land(env, 'events', withFee, since(DAY))).toMatchObject({ kind: 'admitted' });
  });
});

describe('a refused partition', () => {
  let prod: Environment;
  beforeEach(() => {
    prod = here.environment('prod');
  });
  const refusedCodes = async () => (await prod.codes()).filter((code) => code === 'PARTITION_REFUSED').length;
  const wrong = `SELECT * REPLACE (1::BIGINT AS bad) FROM (${LABELS})`;

  it('is alerted once for each cause, however often its marker comes', async () => {
    for (let time = 0; time < 3; time += 1) {
      await land(prod, 'labels', wrong);
      here.clock.at += hours(2);
    }
    expect(await refusedCodes()).toBe(1);
    await land(prod, 'labels', `SELECT * REPLACE ('1' AS bad) FROM (${LABELS})`);
    expect(await refusedCodes()).toBe(2);
  });

  it('is admitted when it is landed again in order, and nothing of its refusal stands', async () => {
    await land(prod, 'labels', wrong);
    expect(await land(prod, 'labels', LABELS)).toMatchObject({ kind: 'admitted', partitions: [{ version: 1 }] });
    expect(await readOpenRefusals(prod.ledger, MODEL)).toEqual([]);
    // The same mistake later is a new one.
    here.clock.at += hours(1);
    await land(prod, 'labels', wrong);
    expect(await refusedCodes()).toBe(2);
  });

  it('is judged as the served release declares its columns, not as a model that is deployed and serves nothing yet', async () => {
    const events = { ...definition.events, columns: { ...definition.events.columns, fee: 'DOUBLE' } } as const;
    const next = { ...definition, events };
    expect(await land(prod, 'events', EVENTS, next)).toMatchObject({ kind: 'refused', refusal: { rule: columns } });
    const of = { definition, sql: SQL, onnx: bytes('MODEL served') };
    const current = await makeRelease(prod.releases, 'served', 'trained', of);
    const at = here.clock.now().toISOString();
    const about = {
      model: MODEL,
      environment: 'prod',
      current,
      version: '0.1.1',
      fencingToken: 1,
      writtenBy: 'test',
      at,
    };
    await prod.ledger.transact([pointerWrite(undefined, advancePointer(undefined, about, []))], 'serve');
    expect(await land(prod, 'events', EVENTS, next)).toMatchObject({ kind: 'admitted' });
  });

  it('leaves the version before it in force, and is over when that is landed again, or the marker removed', async () => {
    await land(prod, 'labels', LABELS);
    await land(prod, 'labels', wrong);
    const item = await prod.ledger.get(keys.partition(MODEL, 'labels', DAY));
    expect(item).toMatchObject({ version: 1 });
    expect(await readOpenRefusals(prod.ledger, MODEL)).toHaveLength(1);
    expect(await land(prod, 'labels', LABELS)).toEqual({ kind: 'unchanged' });
    expect(await readOpenRefusals(prod.ledger, MODEL)).toEqual([]);
    await land(prod, 'events', eventsOf('2026-03-02', 1));
    expect(await land(prod, 'events', undefined)).toEqual({ kind: 'unchanged' });
    expect(await readOpenRefusals(prod.ledger, MODEL)).toEqual([]);
  });
});
