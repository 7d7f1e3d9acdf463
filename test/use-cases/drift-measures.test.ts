import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import * as engine from '#adapters/duckdb/engine.ts';
import { canonicalJson, type Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { featurePlanner } from '#domain/data/feature-plan.ts';
import {
  type AdmittedPartition,
  addDays,
  daysBetween,
  partitionDigest,
  type PartitionKind,
} from '#domain/data/partition.ts';
import { type ParityFound, StabilityMeasure } from '#domain/drift/drift-work.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { buildDailyPartition, buildFeaturePartition } from '#use-cases/data/build-partitions.ts';
import { planFeatureWork } from '#use-cases/data/plan-feature-work.ts';
import { measureStability } from '#use-cases/drift/measure-stability.ts';
import { recomputeFeatures } from '#use-cases/drift/recompute-features.ts';
import { bytes, definition as base, MODEL, world } from './_environments.ts';

const SQL = {
  daily: 'SELECT who, avg(CAST(bad AS INTEGER)) AS rate FROM labels JOIN events USING (id) GROUP BY who',
  features: `SELECT id, who, moment, x, rate FROM events LEFT JOIN (SELECT who, avg(rate) AS rate FROM daily GROUP BY who) USING (who)
    WHERE CAST(moment AS DATE) = getvariable('partition')`,
};
const definition: ModelDefinition = {
  ...base,
  events: {
    ...base.events,
    time: 'moment',
    columns: { id: 'VARCHAR', who: 'VARCHAR', moment: 'TIMESTAMP', x: 'DOUBLE' },
  },
  labels: { ...base.labels, columns: { id: 'VARCHAR', bad: 'BOOLEAN', seen: 'TIMESTAMP' } },
  features: {
    ...base.features,
    daily: { path: 'features/daily.sql', sha256: digestOf(SQL.daily) },
    features: { path: 'features/features.sql', sha256: digestOf(SQL.features) },
    columns: ['x', 'rate'],
    aggregateDays: 2,
    eventDays: 1,
  },
};
const [FIRST, LAST] = ['2001-01-10', '2001-01-14'];

let folder: string;
/** What the source had landed: each day 200 events, and the labels of the day before. */
const landed: { kind: PartitionKind; day: string; content: Uint8Array }[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  for (const day of daysBetween(FIRST, LAST)) {
    // On the last day the source counts in another unit.
    const factor = day === LAST ? 1.609344 : 1;
    landed.push({
      kind: 'events',
      day,
      content: await parquet(
        `SELECT '${day} ' || i AS id, 'who-' || (i % 7) AS who, TIMESTAMP '${day}' + to_minutes(i) AS moment, CAST(${factor} * i AS DOUBLE) AS x FROM range(200) AS t(i)`,
      ),
    });
    if (day === FIRST) continue;
    landed.push({
      kind: 'labels',
      day,
      content: await parquet(
        `SELECT '${addDays(day, -1)} ' || i AS id, i % 3 = 0 AS bad, TIMESTAMP '${day}' + to_minutes(i) AS seen FROM range(200) AS t(i)`,
      ),
    });
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function parquet(select: string): Promise<Uint8Array> {
  const path = join(folder, 'part.parquet');
  await withDatabase('256MB', (connection) => connection.run(`COPY (${select}) TO ${literal(path)} (FORMAT parquet)`));
  return readFile(path);
}

/** A lake with all features built, and the names of each day's. */
async function lake() {
  const own = world().environment('prod');
  const deps = { ...own, engine };
  const catalogue = landed.map(({ kind, day, content }): AdmittedPartition => {
    const key = `toy/${kind}/dt=${day}/part.parquet`;
    own.lake.sources.set(key, content);
    const objects = [{ bucket: 'landing', key, versionId: '1', sha256: digestOf(content), size: content.length }];
    const about = { formatVersion: 1, model: MODEL, kind, day, version: 1 } as const;
    return { ...about, digest: partitionDigest(objects), objects, admittedAt: '2001-01-20T00:00:00.000Z' };
  });
  const { digest } = await own.releases.write(bytes(canonicalJson(definition)));
  for (const text of Object.values(SQL)) await own.releases.write(bytes(text));
  const source = { definition, digest };
  const plan = (days: readonly string[], of = own.lake) =>
    planFeatureWork({ ...own, lake: of }, MODEL, catalogue, [{ source, days }]);
  const built = await plan(daysBetween(FIRST, LAST));
  for (const batch of built.dailyBatches) await buildDailyPartition(deps)(batch);
  for (const batch of built.featureBatches) await buildFeaturePartition(deps)(batch);
  const featuresOf = featurePlanner(definition, own.engine, catalogue);
  const featuresName = (day: string): Digest => (featuresOf(day) as { digest: Digest }).digest;
  /** Makes the features of some days anew, as a check asks for it. */
  const recompute = async (days: readonly string[]): Promise<ParityFound> => {
    const everything = await plan(days, { ...own.lake, built: () => Promise.resolve(new Set<Digest>()) });
    const input = { recompute: { work: everything.featureBatches[0]?.work ?? null } };
    return (await recomputeFeatures(deps)(input)) as ParityFound;
  };
  return {
    own,
    deps,
    digest,
    featuresName,
    recompute,
    keyOf: (day: string) => `${MODEL}/features/${featuresName(day)}`,
  };
}
let here: Awaited<ReturnType<typeof lake>>;
beforeEach(async () => {
  here = await lake();
});

describe('features that are made anew', () => {
  const DAYS = [addDays(LAST, -1), LAST];

  it('are the same bytes, and leave the lake as it was', async () => {
    const before = new Map(here.own.lake.objects);
    expect(await here.recompute(DAYS)).toEqual({ days: DAYS, differences: [], reasons: [] });
    expect(here.own.lake.objects).toEqual(before);
  });

  it('are told apart from what is stored: by column, row and partition', async () => {
    const key = here.keyOf(LAST);
    const stored = here.own.lake.objects.get(key);
    const path = join(folder, 'stored.parquet');
    const select = `SELECT * REPLACE (CASE WHEN x < 10 THEN x + 1 ELSE x END AS x) FROM ${literal(path)} WHERE id NOT LIKE '% 199'`;
    await withDatabase('256MB', async (connection) => {
      await writeFile(path, stored?.content ?? '');
      await connection.run(`COPY (${select}) TO ${literal(`${path}.other`)} (FORMAT parquet)`);
    });
    const content = await readFile(`${path}.other`);
    here.own.lake.objects.set(key, { content, sha256: digestOf(content), rows: 199 });
    const { days, differences } = await here.recompute(DAYS);
    expect(days).toEqual(DAYS);
    expect(differences).toEqual([
      {
        day: LAST,
        features: here.featuresName(LAST),
        found: 'x in 7 rows of 199 stored and 200 new rows, 1 of them only in one',
        columns: [{ column: 'x', rows: 7 }],
        rows: { stored: 199, anew: 200, unmatched: 1 },
      },
    ]);
  });

  it('are not what was tampered with, which no rows are read of', async () => {
    const key = here.keyOf(LAST);
    const stored = here.own.lake.objects.get(key);
    if (stored === undefined) throw new Error('nothing is stored');
    here.own.lake.objects.set(key, { ...stored, sha256: digestOf('what it was'), content: bytes('something else') });
    const { differences } = await here.recompute([LAST]);
    expect(differences).toMatchObject([
      { day: LAST, found: 'the stored bytes are not those that were stored', rows: null },
    ]);
  });

  it('say nothing where they cannot be made, or nothing is stored', async () => {
    here.own.lake.sources.delete(`toy/events/dt=${LAST}/part.parquet`);
    const { days, reasons } = await here.recompute(DAYS);
    expect({ days, reasons }).toEqual({
      days: [DAYS[0]],
      reasons: [`features of ${LAST}: it cannot be built any more`],
    });
    here = await lake();
    here.own.lake.objects.delete(here.keyOf(LAST));
    expect((await here.recompute([LAST])).reasons).toEqual([`features of ${LAST}: they are not stored any more`]);
    expect(await here.recompute([])).toMatchObject({
      days: [],
      differences: [],
      reasons: [expect.stringMatching(/^no published/)],
    });
  });
});

describe('the stability of inputs', () => {
  async function measure(reference: readonly string[], current: readonly string[], day: string | null = LAST) {
    const names = (days: readonly string[]) => days.map(here.featuresName);
    const plan = {
      formatVersion: 1,
      model: MODEL,
      definition: here.digest,
      reference: names(reference),
      current: names(current),
    };
    const { digest } = await here.own.documents.write(bytes(canonicalJson(plan)));
    const result = (await measureStability(here.deps)({ stability: { plan: digest, day } })) as {
      readonly status: string;
      readonly measure: Digest | null;
      readonly reason: string;
    };
    const measured =
      result.measure === null
        ? undefined
        : parseCanonical(StabilityMeasure, await here.own.documents.read(result.measure), 'measure');
    return {
      ...result,
      measured,
      indices: Object.fromEntries((measured?.inputs ?? []).map(({ input, index }) => [input, index])),
    };
  }
  const MADE_FROM = daysBetween(addDays(FIRST, 1), addDays(FIRST, 2));

  it('is whole on a day like those before, and broken by another unit', async () => {
    const healthy = await measure(MADE_FROM, [addDays(LAST, -1)]);
    expect(healthy.measured?.rows).toEqual({ reference: 400, current: 200 });
    expect(healthy.indices['x']).toBe(0);
    expect((await measure(MADE_FROM, [LAST])).indices['x']).toBeGreaterThan(0.3);
  });

  it('counts what is missing by itself, and tells shares that add up', async () => {
    // On the first day no label had arrived: nobody has a rate.
    const { measured, indices } = await measure(MADE_FROM, [FIRST]);
    const rate = measured?.inputs.find(({ input }) => input === 'rate');
    expect(rate?.missing).toEqual({ reference: expect.any(Number), current: 1 });
    expect(indices['rate']).toBeGreaterThan(1);
    const x = measured?.inputs.find(({ input }) => input === 'x');
    expect(x?.bins.at(-1)?.upTo).toBe(199);
    for (const side of ['reference', 'current'] as const)
      expect(x?.bins.reduce((sum, bin) => sum + bin[side], (x.unseen?.[side] ?? 0) + x.missing[side])).toBeCloseTo(
        1,
        12,
      );
  });

  it('cannot be asked about what is not there', async () => {
    expect(await measure(MADE_FROM, [], null)).toMatchObject({ status: 'insufficient', measure: null });
    expect((await measure([], [LAST])).measured).toEqual({
      formatVersion: 1,
      rows: { reference: 0, current: 200 },
      inputs: [],
    });
    here.own.lake.objects.delete(here.keyOf(LAST));
    expect(await measure(MADE_FROM, [LAST])).toMatchObject({ status: 'insufficient', measure: null });
  });
});
