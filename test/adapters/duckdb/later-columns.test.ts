import { describe, expect, it } from 'vitest';
import { checkPartition } from '#adapters/duckdb/check-partition.ts';
import { type Row, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { measureLabelJoins } from '#adapters/duckdb/label-joins.ts';
import { profileSource } from '#adapters/duckdb/profile.ts';
import { refusedSql } from '#adapters/duckdb/sql-check.ts';
import { stagePartitions } from '#adapters/duckdb/staged-partitions.ts';
import { exportTrainingRows } from '#adapters/duckdb/training-rows.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import type { EventColumn } from '#domain/model/definition.ts';
import { definition as plain, eventsOf, labelsOf, only, workspace } from './_fixture.ts';

const { path, parquet } = workspace();
const SINCE = '2026-03-03';
const DAYS = daysBetween('2026-03-01', '2026-03-04');

/** The payments with a column that was added on the third of March. */
function withColumn(name: string, column: EventColumn) {
  const columns = { ...plain.events.columns, [name]: column };
  const features = { ...plain.features, columns: ['amount', 'rate', 'fee', 'past_fee'], aggregateDays: 2 };
  return { ...plain, events: { ...plain.events, columns }, features };
}

const definition = withColumn('fee', { type: 'DOUBLE', since: SINCE, default: 0.1 });
const SQL = {
  daily: `SELECT card, count(*) FILTER (bad) AS bad, count(*) AS total, sum(fee) AS fees FROM labels JOIN events USING (id) GROUP BY card`,
  features: `
    WITH rates AS (SELECT card, sum(bad) / sum(total) AS rate, sum(fees) AS past_fee FROM daily GROUP BY card)
    SELECT id, card, paid, amount, rate, fee, coalesce(past_fee, -1) AS past_fee FROM events LEFT JOIN rates USING (card)
    WHERE paid::DATE = getvariable('partition')`,
};

/** Events of a day with the column: as it is from the third on, and as the default says before. */
const filled = (day: string) =>
  `SELECT *, ${day < SINCE ? '0.1::DOUBLE' : '(epoch(paid) % 7)::DOUBLE'} AS fee FROM (${eventsOf(day)})`;
const lacking = (day: string) => `SELECT * EXCLUDE (fee) FROM (${filled(day)})`;

/** A history of landed files, under a name of its own. */
async function landed(name: string, select: (day: string) => string) {
  const write = (kind: string, of: string, sql: string) => parquet(`${name}-${kind}-${of}.parquet`, sql);
  const events = new Map<string, string>();
  const labels = new Map<string, string>();
  for (const day of DAYS) {
    events.set(day, await write('events', day, select(day)));
    labels.set(addDays(day, 1), await write('labels', addDays(day, 1), labelsOf(day, addDays(day, 1))));
  }
  return { name, events, labels };
}

const filesOf = (files: ReadonlyMap<string, string>, days: readonly string[]) =>
  days.flatMap((day) => {
    const file = files.get(day);
    return file === undefined ? [] : [{ day, file }];
  });

/** What training and scoring would read of a history, all days in one batch or each in its own, in either order. */
async function built(history: Awaited<ReturnType<typeof landed>>, how: { together: boolean; backwards?: boolean }) {
  const { name, events, labels } = history;
  const run = `${name}-${how.together ? 'whole' : 'rolled'}-${how.backwards === true ? 'back' : 'on'}`;
  const inOrder = <T>(items: readonly T[]): readonly T[] => (how.backwards === true ? items.toReversed() : items);
  const eventsUntil = (day: string) => inOrder(filesOf(events, daysBetween(addDays(day, -2), day)));
  const daily = DAYS.map((day) => ({
    day,
    events: eventsUntil(day),
    labels: filesOf(labels, [day]),
    out: path(`${run}-daily-${day}.parquet`),
  }));
  const features = DAYS.map((day) => ({
    day,
    events: eventsUntil(day),
    daily: daysBetween(addDays(day, -2), addDays(day, -1))
      .filter((each) => each >= '2026-03-01')
      .map((each) => ({ day: each, file: path(`${run}-daily-${each}.parquet`) })),
    out: path(`${run}-features-${day}.parquet`),
  }));
  const batches = <T>(items: readonly T[]): readonly (readonly T[])[] =>
    how.together ? [inOrder(items)] : inOrder(items).map((item) => [item]);
  const results = [];
  for (const items of batches(daily)) results.push(...(await buildDaily({ sql: SQL.daily, definition, items })));
  for (const items of batches(features)) results.push(...(await buildFeatures({ sql: SQL, definition, items })));
  expect(results.filter(({ kind }) => kind === 'refused')).toEqual([]);
  const exported = await exportTrainingRows({
    features: features.map(({ day, out }) => ({ day, file: out })),
    labels: filesOf(labels, [...labels.keys()]),
    definition,
    out: path(`${run}-rows`),
  });
  if (exported.kind === 'refused') throw new Error(JSON.stringify(exported.refusal));
  const read = (files: readonly string[]): Promise<Row[]> =>
    withDatabase('512MB', (connection) =>
      rowsOf(connection, `FROM read_parquet([${files.map((file) => `'${file}'`).join()}], hive_partitioning = false)`),
    );
  return { features: await read(features.map(({ out }) => out)), rows: await read(exported.files) };
}

describe('a history without a column that was added later', () => {
  it('gives the features and training rows of one in which the column holds the default, in any order and batch', async () => {
    const expected = await built(await landed('filled', filled), { together: true });
    expect(expected.features).toHaveLength(24);
    expect(expected.rows).toHaveLength(24);
    expect(new Set(expected.rows.map(({ fee }) => fee)).size).toBeGreaterThan(3);
    const history = await landed('lacking', (day) => (day < SINCE ? lacking(day) : filled(day)));
    expect(await built(history, { together: true, backwards: true })).toEqual(expected);
    expect(await built(history, { together: false })).toEqual(expected);
    // A day that was landed again with the column, between two that lack it.
    const mixed = await landed('mixed', (day) => (day < SINCE && day !== '2026-03-02' ? lacking(day) : filled(day)));
    expect(await built(mixed, { together: false, backwards: true })).toEqual(expected);
  });

  it('is read alike by the data checks, by the joins of labels and by profiles', async () => {
    const [day] = DAYS as [string];
    // Two files of one day, of which one has the column: each is read as it is.
    const files = [
      await parquet('old.parquet', lacking(day)),
      await parquet('new.parquet', filled('2026-03-04').replaceAll('2026-03-04', day)),
    ];
    const out = path('staged.parquet');
    const items = [{ kind: 'events', day, files, out }] as const;
    expect(await only(stagePartitions({ definition, items }))).toEqual({ kind: 'built', rows: 12 });
    const staged = await withDatabase('512MB', (connection) => rowsOf(connection, `SELECT fee FROM '${out}'`));
    expect(staged.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => ({ fee: 0.1 })));
    expect(staged.slice(6).every(({ fee }) => Number.isInteger(fee))).toBe(true);
    const events = [{ day, file: path('old.parquet') }];
    expect(await measureLabelJoins({ events, labels: [], definition })).toMatchObject({ kind: 'measured' });
    expect(await profileSource('events', events, definition)).toMatchObject({ partitions: [{ day, rows: 6 }] });
    expect((await profileSource('events', events, definition)).partitions[0]).not.toHaveProperty('refusal');
    expect(await refusedSql(definition, SQL)).toEqual({});
  });
});

describe('a column that was added later', () => {
  const check = async (
    day: string,
    select: string,
    column: EventColumn = { type: 'DOUBLE', since: SINCE, default: 0 },
  ) =>
    checkPartition({
      definition: withColumn('fee', column),
      kind: 'events',
      day,
      files: [await parquet('part.parquet', select)],
    });

  it('may be lacking on each day before, and on no day from its first on', async () => {
    expect(await check('2026-03-02', eventsOf('2026-03-02'))).toBeUndefined();
    for (const day of [SINCE, '2027-01-01'])
      expect(await check(day, eventsOf(day))).toEqual({
        rule: 'source-columns-declared',
        found: `part.parquet of events ${day}: column fee is missing, which is declared since 2026-03-03`,
        remedy: 'write the partition with fee, or set since in model.ts to the first day that has it',
      });
    expect(await check(SINCE, filled(SINCE))).toBeUndefined();
  });

  it.each([
    ['in another type', `'1' AS fee`, 'column fee is VARCHAR, declared DOUBLE'],
    ['in another spelling', '1.0::DOUBLE AS Fee', 'column fee is missing, there is Fee'],
  ])('is not the default where a file of an earlier day has it %s', async (_, column, found) => {
    const refusal = await check('2026-03-01', `SELECT *, ${column} FROM (${eventsOf('2026-03-01')})`);
    expect(refusal?.found).toContain(found);
    expect(refusal?.remedy).toBe('correct the partition, or the columns in model.ts');
  });

  it('is refused with the other columns that are wrong', async () => {
    const refusal = await check(SINCE, `SELECT * EXCLUDE (amount) FROM (${eventsOf(SINCE)})`);
    expect(refusal?.found).toMatch(
      /column amount is missing; column fee is missing, which is declared since 2026-03-03$/,
    );
    expect(refusal?.remedy).toBe('correct the partition, or the columns in model.ts');
  });

  it.each([
    [{ type: 'VARCHAR', since: SINCE, default: "it's ''" }, "it's ''"],
    [{ type: 'VARCHAR', since: SINCE, default: '' }, ''],
    [{ type: 'TIMESTAMP', since: SINCE, default: '2026-02-28T23:59:59Z' }, new Date('2026-02-28T23:59:59Z')],
    [{ type: 'DATE', since: SINCE, default: '2026-02-28' }, new Date('2026-02-28T00:00:00Z')],
    [{ type: 'BOOLEAN', since: SINCE, default: false }, false],
    [{ type: 'INTEGER', since: SINCE, default: -2_147_483_648 }, -2_147_483_648],
    [{ type: 'BIGINT', since: SINCE, default: Number.MAX_SAFE_INTEGER }, Number.MAX_SAFE_INTEGER],
    [{ type: 'DOUBLE', since: SINCE, default: 0.123_456_789_012_345_68 }, 0.123_456_789_012_345_68],
    [{ type: 'DOUBLE', since: SINCE, default: 1e300 }, 1e300],
    [{ type: 'DOUBLE', since: SINCE, default: null }, null],
    [{ type: 'TIMESTAMP', since: SINCE, default: null }, null],
  ] as const)('reads as %j', async (column, value) => {
    const [day] = DAYS as [string];
    const item = {
      kind: 'events',
      day,
      files: [await parquet('one.parquet', eventsOf(day, 1))],
      out: path('one-out.parquet'),
    } as const;
    expect(await only(stagePartitions({ definition: withColumn('later', column), items: [item] }))).toMatchObject({
      rows: 1,
    });
    const read = await withDatabase('512MB', (connection) =>
      rowsOf(connection, `SELECT later, typeof(later) AS type FROM '${item.out}'`),
    );
    expect(read).toEqual([{ later: value, type: column.type }]);
  });
});
