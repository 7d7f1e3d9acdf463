import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { type Built, buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { DAILY, FEATURES, definition, eventsOf, labelsOf, only, workspace } from './_fixture.ts';

const { path, parquet } = workspace();
const sql = { daily: DAILY, features: FEATURES };

async function inputs(): Promise<{ events: { day: string; file: string }[]; labels: { day: string; file: string }[] }> {
  return {
    events: [
      { day: '2026-03-01', file: await parquet('e1.parquet', eventsOf('2026-03-01')) },
      { day: '2026-03-02', file: await parquet('e2.parquet', eventsOf('2026-03-02')) },
    ],
    labels: [{ day: '2026-03-02', file: await parquet('l2.parquet', labelsOf('2026-03-01', '2026-03-02')) }],
  };
}

async function daily(name: string, change: { sql?: string } = {}): Promise<Built> {
  const item = { day: '2026-03-02', ...(await inputs()), out: path(name) };
  const result = await only(buildDaily({ sql: DAILY, definition, items: [item], ...change }));
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.refusal));
  return result;
}

/** Builds the features of the third of March, with whatever a test changes. */
async function features(
  change: {
    events?: string;
    sql?: string;
    columns?: string[];
    milliseconds?: number;
    bytes?: string;
    day?: string;
  } = {},
) {
  const { events } = await inputs();
  await daily('d2.parquet');
  const file = await parquet('e3.parquet', change.events ?? eventsOf('2026-03-03'));
  if (change.bytes !== undefined) await writeFile(file, change.bytes);
  const item = {
    day: change.day ?? '2026-03-03',
    events: [...events, { day: '2026-03-03', file }],
    daily: [{ day: '2026-03-02', file: path('d2.parquet') }],
    out: path('features.parquet'),
  };
  return only(
    buildFeatures({
      sql: { daily: DAILY, features: change.sql ?? FEATURES },
      definition: {
        ...definition,
        features: { ...definition.features, columns: change.columns ?? definition.features.columns },
      },
      items: [item],
      limits: { milliseconds: change.milliseconds ?? 20_000, memory: '512MB' },
    }),
  );
}

describe('buildFeatures', () => {
  it('gives one row per event of the day, ordered by id, with labels that had arrived', async () => {
    expect(await features()).toMatchObject({ kind: 'built', rows: 6 });
    const rows = await withDatabase('512MB', (connection) => rowsOf(connection, `FROM '${path('features.parquet')}'`));
    expect(rows.map((row) => [row['id'], row['card'], row['amount'], row['rate']])).toEqual([
      ['2026-03-03-0', 'card-0', 0.5, 0.5],
      ['2026-03-03-1', 'card-1', 1.5, 0.5],
      ['2026-03-03-2', 'card-2', 2.5, 0.5],
      ['2026-03-03-3', 'card-0', 3.5, 0.5],
      ['2026-03-03-4', 'card-1', 4.5, 0.5],
      ['2026-03-03-5', 'card-2', 5.5, 0.5],
    ]);
  });

  it('makes the same bytes from the same inputs, in whatever order the files are written', async () => {
    const first = await features();
    expect(await features({ events: `${eventsOf('2026-03-03')} ORDER BY i DESC` })).toEqual(first);
    expect(await features({ events: eventsOf('2026-03-03', 7) })).not.toEqual(first);
    expect(await daily('d3.parquet')).toEqual(await daily('d4.parquet'));
  });

  it('knows the columns of the aggregates on the first day of history', async () => {
    const { events } = await inputs();
    const item = { day: '2026-03-01', events: events.slice(0, 1), daily: [], out: path('first.parquet') };
    const result = await only(buildFeatures({ sql, definition, items: [item] }));
    expect(result).toMatchObject({ kind: 'built', rows: 6 });
    const rows = await withDatabase('512MB', (connection) =>
      rowsOf(connection, `SELECT DISTINCT rate FROM '${path('first.parquet')}'`),
    );
    expect(rows).toEqual([{ rate: null }]);
  });

  it('builds days apart that do not fit into memory together', async () => {
    const days = ['2026-03-03', '2026-03-04', '2026-03-05'];
    const items = await Promise.all(
      days.map(async (day) => {
        const file = await parquet(
          `large-${day}.parquet`,
          eventsOf(day, 100_000).replace('to_hours(i)', 'to_milliseconds(i::BIGINT)'),
        );
        return { day, events: [{ day, file }], daily: [], out: path(`large-${day}-out.parquet`) };
      }),
    );
    const limits = { milliseconds: 20_000, memory: '50MiB' };
    const together = await buildFeatures({ sql, definition, items, limits });
    expect(together).toEqual(await buildFeatures({ sql, definition, items, limits: { ...limits, memory: '1GB' } }));
    expect(together).toMatchObject(days.map(() => ({ kind: 'built', rows: 100_000 })));
  });

  it('makes each day of a batch the bytes that it has alone, whatever its neighbours are, and refuses it alone', async () => {
    const { events } = await inputs();
    await daily('d2.parquet');
    const third = { day: '2026-03-03', file: await parquet('e3.parquet', eventsOf('2026-03-03')) };
    const broken = { day: '2026-03-02', file: path('broken.parquet') };
    await writeFile(broken.file, 'PAR1 no Parquet PAR1');
    const aggregates = [{ day: '2026-03-02', file: path('d2.parquet') }];
    const items = [
      { day: '2026-03-03', events: [...events, third], daily: aggregates, out: path('b3.parquet') },
      { day: '2026-03-02', events: [broken], daily: [], out: path('b2.parquet') },
      { day: '2026-03-01', events: events.slice(0, 1), daily: [], out: path('b1.parquet') },
      { day: '2026-03-02', events, daily: [], out: path('c2.parquet') },
    ];
    const together = await buildFeatures({ sql, definition, items });
    expect(together.map(({ kind }) => kind)).toEqual(['built', 'refused', 'built', 'built']);
    for (const [index, item] of items.entries())
      expect(await only(buildFeatures({ sql, definition, items: [item] }))).toEqual(together[index]);
    expect(await buildFeatures({ sql, definition, items: items.toReversed() })).toEqual(together.toReversed());
  });

  it('counts a file that is not there as a fault, not as a refusal', async () => {
    const events = [{ day: '2026-03-01', file: path('none.parquet') }];
    const missing = { day: '2026-03-01', events, daily: [], out: path('x.parquet') };
    await expect(buildFeatures({ sql, definition, items: [missing] })).rejects.toThrow('ENOENT');
  });

  const day = '2026-03-03';
  it.each([
    [
      'a missing column',
      { events: `SELECT * EXCLUDE (amount) FROM (${eventsOf(day)})` },
      'source-columns-declared',
      /e3\.parquet of events 2026-03-03: column amount is missing/,
    ],
    [
      'a column of another type',
      { events: `SELECT * REPLACE (amount::VARCHAR AS amount) FROM (${eventsOf(day)})` },
      'source-columns-declared',
      /column amount is VARCHAR, declared DOUBLE/,
    ],
    [
      'a corrupt file',
      { bytes: 'PAR1 this is not Parquet' },
      'source-files-readable',
      /e3\.parquet of events 2026-03-03: .*/,
    ],
    ['a truncated file', { bytes: 'PAR1' }, 'source-files-readable', /e3\.parquet/],
    [
      'a null id',
      { events: `SELECT * REPLACE (nullif(id, '2026-03-03-2') AS id) FROM (${eventsOf(day)})` },
      'row-keys-present',
      /1 rows of e3\.parquet of events 2026-03-03/,
    ],
    [
      'an event of another day',
      { events: `SELECT * REPLACE (paid + INTERVAL 20 HOURS AS paid) FROM (${eventsOf(day)})` },
      'rows-of-partition-day',
      /2 rows of e3\.parquet/,
    ],
    [
      'an id that is there twice',
      { events: `${eventsOf(day)} UNION ALL ${eventsOf(day, 1)}` },
      'event-ids-unique',
      /7 events on 2026-03-03 with 6 ids/,
    ],
    [
      'a join that multiplies',
      { sql: `FROM (${FEATURES}) UNION ALL FROM (${FEATURES})` },
      'one-feature-row-per-event',
      /12 rows for 6 ids/,
    ],
    [
      'rows that are left out',
      { sql: `${FEATURES} AND amount > 1` },
      'one-feature-row-per-event',
      /5 rows for 6 events/,
    ],
    [
      'rows of another day',
      { sql: FEATURES.replace("getvariable('partition')", "getvariable('partition') - 1") },
      'one-feature-row-per-event',
      /6 rows whose id, entity or time no event has/,
    ],
    [
      'a word for a feature',
      { sql: FEATURES.replace('amount, rate', "'much' AS amount, rate") },
      'features-numeric',
      /amount is VARCHAR/,
    ],
    [
      'an infinite feature',
      {
        sql: FEATURES.replace(
          'amount, rate',
          "CASE WHEN amount > 5 THEN 'inf'::DOUBLE ELSE amount END AS amount, rate",
        ),
      },
      'features-finite',
      /amount in 1 rows/,
    ],
    [
      'a feature beyond a 32-bit float',
      { sql: FEATURES.replace('amount, rate', '1e300 AS amount, rate') },
      'features-finite',
      /amount in 6 rows/,
    ],
    [
      'a feature that is not declared',
      { sql: FEATURES.replace('amount, rate', 'amount, rate, 1 AS more') },
      'feature-columns-declared',
      /more is not declared/,
    ],
    [
      'a declared feature that is missing',
      { columns: ['amount', 'rate', 'speed'] },
      'feature-columns-declared',
      /speed is missing/,
    ],
    [
      'a column that does not exist',
      { sql: FEATURES.replace('amount, rate', 'amont AS amount, rate') },
      'feature-sql-runs',
      /amont/,
    ],
    ['a syntax error', { sql: 'SELEC 1' }, 'feature-sql-allowed', /syntax error/],
    [
      'SQL without an end',
      { sql: `${FEATURES} AND (SELECT count(*) FROM range(1000000) a, range(1000000) b) > 0`, milliseconds: 300 },
      'feature-sql-in-time',
      /still running after 300 ms/,
    ],
    [
      'SQL that needs too much memory',
      { sql: `${FEATURES} AND (SELECT count(DISTINCT repeat('x', 1000) || i) FROM range(5000000) t(i)) > 0` },
      'feature-sql-fits-in-memory',
      /Out of Memory/,
    ],
  ])('refuses %s', async (_, change, rule, found) => {
    expect(await features(change)).toMatchObject({
      kind: 'refused',
      refusal: { rule, found: expect.stringMatching(found) },
    });
  });

  it('refuses daily SQL that names a column as the pipeline does', async () => {
    await expect(daily('d5.parquet', { sql: `SELECT 1 AS "partition"` })).rejects.toThrow(
      'daily-sql-without-partition',
    );
  });

  it('reads narrower types and instants with a time zone', async () => {
    const events = `SELECT id, card, (paid AT TIME ZONE 'UTC') AS paid, amount::FLOAT AS amount FROM (${eventsOf(day)})`;
    expect(await features({ events })).toEqual(await features());
  });
});
