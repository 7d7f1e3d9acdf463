import { describe, expect, it, onTestFinished } from 'vitest';
import { withDatabase, numberOf, rowsOf } from '#adapters/duckdb/database.ts';
import { foldSql } from '#adapters/duckdb/folded-sql.ts';
import { onlineFeatures } from '#adapters/duckdb/online.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { refusalText } from '#domain/refusal/refusal.ts';
import type { EventRow } from '#ports/online-features.ts';
import { DAILY, definition as payments, FEATURES, workspace } from './_fixture.ts';

const { parquet } = workspace();

const definition = {
  ...payments,
  online: { context: [], maxRows: 3, maxAggregateAgeDays: 2, pointerMaxAgeSeconds: 5 },
} as unknown as ModelDefinition;
const columns = (more: ModelDefinition['events']['columns']): ModelDefinition => ({
  ...definition,
  events: { ...definition.events, columns: { ...definition.events.columns, ...more } },
});

/** Aggregates of a day: half of the payments by card a were bad. */
const aggregates = async (day: string) => ({
  day,
  file: await parquet(`daily-${day}.parquet`, "SELECT 'a' AS card, 1::BIGINT AS bad, 2::BIGINT AS total"),
});

/** Opens payments by card with aggregates of some days. */
async function open(
  given: { definition?: ModelDefinition; features?: string; days?: readonly string[] } = {},
): Promise<Awaited<ReturnType<typeof onlineFeatures.open>>> {
  const daily = await Promise.all((given.days ?? ['2026-03-01']).map(aggregates));
  const online = await onlineFeatures.open({
    definition: given.definition ?? definition,
    sql: { daily: DAILY, features: given.features ?? FEATURES },
    daily,
  });
  onTestFinished(() => online.close());
  return online;
}

/** An event of a payment; a column that is undefined is left out. */
const event = (change: Readonly<Record<string, EventRow[string] | undefined>> = {}): EventRow => {
  const row = { id: 'x', card: 'a', paid: '2026-03-02T10:00:00Z', amount: 0.5, ...change };
  return Object.fromEntries(
    Object.entries<EventRow[string] | undefined>(row).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]],
    ),
  );
};

type Request = { readonly events: readonly EventRow[]; readonly context?: readonly EventRow[] };
async function asked(online: Awaited<ReturnType<typeof open>>, { events, context = [] }: Request): Promise<unknown> {
  const found = await online.featuresOf({ events, context });
  return found.kind === 'features' ? found.rows : refusalText(found.refusal);
}

describe('features on request', () => {
  it('come in the order of the request, with null where SQL says NULL', async () => {
    const online = await open();
    const events = [event({ id: 'z' }), event({ id: 'b', card: 'b', amount: null }), event({ id: 'a', amount: 0.1 })];
    expect(await asked(online, { events })).toEqual([
      [0.5, 0.5],
      [null, null],
      [Math.fround(0.1), 0.5],
    ]);
    expect(await asked(online, { events: [event()] })).toEqual([[0.5, 0.5]]);
    expect(online.until).toBe('2026-03-01');
  });

  it('see the context of the request, and nothing of an earlier one', async () => {
    const features = `SELECT id, card, paid, amount, (SELECT count(*) FROM events) AS rate FROM events WHERE paid::DATE = getvariable('partition')`;
    const online = await open({ features });
    const before = event({ id: 'w', paid: '2026-03-01T23:59:59.999999Z' });
    expect(await asked(online, { events: [event()], context: [before, event({ id: 'y' })] })).toEqual([[0.5, 3]]);
    expect(await asked(online, { events: [event()] })).toEqual([[0.5, 1]]);
    // An event counts once, and what batch does not see of this day is left out.
    const old = event({ id: 'v', paid: '2026-02-27T10:00:00Z' });
    expect(await asked(online, { events: [event()], context: [event(), before, before, old] })).toEqual([[0.5, 2]]);
  });

  it('are the same in whatever order the request has its events', async () => {
    const features = `SELECT id, card, paid, amount, (SELECT sum(amount) FROM events) AS rate FROM events WHERE paid::DATE = getvariable('partition')`;
    const online = await open({ features });
    const context = [1e16, 1, -1e16, 1].map((amount, index) => event({ id: `c${index}`, amount }));
    expect(await asked(online, { events: [event()], context: context.toReversed() })).toEqual(
      await asked(online, { events: [event()], context }),
    );
  });

  const two = { ...definition, features: { ...definition.features, eventDays: 0 } };
  it.each<[string, Partial<Request>, string]>([
    [
      'a missing column',
      { events: [event({ amount: undefined })] },
      'request-columns-declared: event 0: column amount is missing',
    ],
    [
      'a text for a number',
      { events: [event({ amount: '1' })] },
      'event 0: column amount is "1", declared DOUBLE; send a finite number',
    ],
    [
      'NaN',
      { events: [event(), event({ id: 'y', amount: Number.NaN })] },
      'event 1: column amount is NaN, declared DOUBLE',
    ],
    [
      'no UTC time',
      { events: [event({ paid: '2026-03-02T10:00:00+02:00' })] },
      'column paid is "2026-03-02T10:00:00+02:00", declared TIMESTAMP',
    ],
    [
      'no day of the calendar',
      { events: [event({ paid: '2026-02-30T10:00:00Z' })] },
      'column paid is "2026-02-30T10:00:00Z"',
    ],
    [
      'nanoseconds',
      { events: [event({ paid: '2026-03-02T10:00:00.0000001Z' })] },
      'declared TIMESTAMP; send a UTC time',
    ],
    ['a number as a text', { events: [event({ card: 7 })] }, 'column card is 7, declared VARCHAR; send a text'],
    ['half a character', { events: [event({ card: '\ud800' })] }, 'declared VARCHAR; send a text'],
    [
      'a context without a column',
      { context: [event({ id: 'y', card: undefined })] },
      'context event 0: column card is missing',
    ],
    ['no id', { events: [event({ id: null })] }, 'row-keys-present: event 0: column id is null'],
    ['no time', { context: [event({ paid: null })] }, 'row-keys-present: context event 0: column paid is null'],
    [
      'two days',
      { events: [event(), event({ id: 'y', paid: '2026-03-03T00:00:00Z' })] },
      'request-of-one-day: event 1: paid is of 2026-03-03, and that of event 0 of 2026-03-02',
    ],
    [
      'a context of tomorrow',
      { context: [event({ id: 'y', paid: '2026-03-03T00:00:00Z' })] },
      'request-of-one-day: context event 0',
    ],
    [
      'one id for two events',
      { context: [event({ amount: 7 })] },
      'event-ids-unique: context event 0: id "x", as event 0, with other values',
    ],
    ['no events', { events: [] }, 'request-size: 0 events; ask about 1 to 3 events at once'],
    ['too many events', { events: ['1', '2', '3', '4'].map((id) => event({ id })) }, 'request-size: 4 events'],
  ])('are refused of %s', async (_, request, expected) => {
    expect(await asked(await open({ definition: two }), { events: [event()], ...request })).toContain(expected);
  });

  it('take and refuse values of each type', async () => {
    const typed = columns({ born: 'DATE', yes: 'BOOLEAN', whole: 'INTEGER', long: 'BIGINT' });
    const features = `SELECT id, card, paid, whole + date_diff('day', DATE '2026-01-01', born) AS amount, long % 10 + yes::INT AS rate FROM events WHERE paid::DATE = getvariable('partition')`;
    const online = await open({ definition: typed, features });
    const good = { born: '2026-01-11', yes: true, whole: 5, long: 9_007_199_254_740_993n };
    expect(await asked(online, { events: [event(good)] })).toEqual([[15, 4]]);
    for (const [change, expected] of [
      [{ born: '2026-1-1' }, 'column born is "2026-1-1", declared DATE; send a day such as'],
      [{ yes: 1 }, 'column yes is 1, declared BOOLEAN; send true or false'],
      [{ whole: 2 ** 31 }, 'column whole is 2147483648, declared INTEGER'],
      [{ whole: 0.5 }, 'column whole is 0.5, declared INTEGER'],
      [{ long: 2n ** 63n }, 'column long is 9223372036854775808, declared BIGINT'],
      [{ long: 2 ** 60 }, 'declared BIGINT; send a whole number of 64 bits'],
    ] as const)
      expect(await asked(online, { events: [event({ ...good, ...change })] })).toContain(expected);
  });

  it('read a column that was added later as its default before its day, and need it from then on', async () => {
    const later = columns({ fee: { type: 'DOUBLE', since: '2026-03-02', default: 7 } });
    const features = FEATURES.replace('amount, rate', 'amount, fee AS rate');
    const online = await open({ definition: later, features, days: ['2026-02-28', '2026-03-01'] });
    expect(await asked(online, { events: [event({ paid: '2026-03-01T10:00:00Z' })] })).toContain(
      'aggregates of 2026-02-22',
    );
    const wide = { ...later, features: { ...later.features, aggregateDays: 1 } };
    const near = await open({ definition: wide, features, days: ['2026-02-28', '2026-03-01'] });
    expect(await asked(near, { events: [event({ paid: '2026-03-01T10:00:00Z' })] })).toEqual([[0.5, 7]]);
    expect(await asked(near, { events: [event()] })).toContain('event 0: column fee is missing');
    expect(await asked(near, { events: [event({ fee: 1 })] })).toEqual([[0.5, 1]]);
  });

  it('are refused where aggregates are missing or too old', async () => {
    const online = await open();
    const on = (day: string) => asked(online, { events: [event({ paid: `${day}T10:00:00Z` })] });
    expect(await on('2026-03-03')).toEqual([[0.5, 0.5]]);
    expect(await on('2026-03-04')).toBe(
      'aggregates-reach-day: aggregates reach 2026-03-01, and the events are of 2026-03-04; wait for batch inference: they may be 2 days old',
    );
    expect(await on('2026-03-01')).toContain('aggregates-reach-day: aggregates of 2026-02-22 are not loaded');
    expect(await asked(await open({ days: [] }), { events: [event()] })).toContain('no aggregates are loaded');
    // Days may alternate around midnight, and new aggregates take the place of old ones.
    expect(await on('2026-03-02')).toEqual([[0.5, 0.5]]);
    await online.load([await aggregates('2026-03-03')]);
    expect(online.until).toBe('2026-03-03');
    expect(await on('2026-03-04')).toEqual([[0.5, 0.5]]);
  });

  it('need no aggregates where a model has none', async () => {
    const none = { ...definition, features: { ...definition.features, aggregateDays: 0 } };
    expect(await asked(await open({ definition: none, days: [] }), { events: [event()] })).toEqual([[0.5, null]]);
  });

  it.each([
    ['feature-sql-allowed', FEATURES.replace('amount, rate', 'amount, random() AS rate')],
    ['feature-columns-declared', FEATURES.replace(', rate FROM', ' FROM')],
    ['feature-sql-runs', FEATURES.replace('amount, rate', 'amount, nothing AS rate')],
    ['one-feature-row-per-event', `${FEATURES} AND amount > 1`],
    [
      'one-feature-row-per-event',
      FEATURES.replace('SELECT id, card, paid', "SELECT id, card || '' || 'x' AS card, paid"),
    ],
    ['features-finite', FEATURES.replace('amount, rate', 'amount * 1e300 AS amount, rate')],
  ])('are refused by %s, as in batch', async (rule, features) => {
    expect(await asked(await open({ features }), { events: [event()] })).toContain(rule);
  });

  it('do not read files', async () => {
    const features = FEATURES.replace('FROM daily', "FROM '/etc/passwd'");
    expect(await asked(await open({ features }), { events: [event()] })).toContain('feature-sql-allowed');
  });
});

describe('folding', () => {
  const fold = (sql: string) =>
    withDatabase('512MB', async (connection) => {
      await connection.run(
        "CREATE TABLE daily AS SELECT 'a' AS card, 1::BIGINT AS bad, 2::BIGINT AS total, DATE '2026-03-01' AS partition",
      );
      await connection.run("CREATE TABLE events AS SELECT 'x' AS id, 'a' AS card, 0.5::DOUBLE AS amount");
      await connection.run("SET VARIABLE partition = DATE '2026-03-02'");
      await connection.run('CREATE SCHEMA hidden');
      const folded = await foldSql(connection, sql, 'hidden');
      expect(await rowsOf(connection, folded.sql)).toEqual(await rowsOf(connection, sql));
      // What was folded is no more computed: of other aggregates nothing is seen.
      await connection.run('DROP TABLE daily');
      const isFree = await numberOf(connection, `SELECT count(*) FROM (${folded.sql})`).then(
        () => true,
        () => false,
      );
      return { tables: folded.tables, isFree };
    });

  it.each([
    [
      'a common table of aggregates',
      'WITH r AS (SELECT card, sum(bad) AS bad FROM daily GROUP BY card) FROM events JOIN r USING (card)',
      1,
    ],
    [
      'one that others are made of',
      'WITH a AS (FROM daily), b(c, d) AS (SELECT card, count(*) FROM a GROUP BY 1) SELECT * FROM events JOIN b ON c = card',
      1,
    ],
    [
      'an arm of a union',
      'WITH u AS (SELECT card FROM daily UNION ALL SELECT card FROM events) SELECT * FROM u ORDER BY 1',
      1,
    ],
    [
      'values',
      'WITH u AS (SELECT card, n FROM daily, (VALUES (1), (2)) AS v(n)) SELECT * FROM events JOIN u USING (card)',
      1,
    ],
    ['a long number', 'WITH r AS (SELECT card, 9007199254740993 AS n FROM daily) FROM events JOIN r USING (card)', 0],
    [
      'a column of no type',
      'WITH u AS (SELECT card, NULL AS n FROM daily UNION ALL SELECT card, true FROM events) SELECT card, typeof(n) FROM u ORDER BY 1',
      0,
    ],
    ['a name that hides another', 'WITH daily AS (SELECT card FROM daily) FROM events JOIN daily USING (card)', 0],
    [
      'a name that is hidden within',
      'WITH r AS (WITH events AS (FROM daily) FROM events) FROM events JOIN r USING (card)',
      0,
    ],
    ['no common table', 'FROM events JOIN daily USING (card)', 0],
    ['events alone', 'WITH r AS (FROM events) FROM r', 0],
  ])('of %s', async (what, sql, tables) => {
    expect(await fold(sql)).toEqual({ tables, isFree: tables > 0 || what === 'events alone' });
  });
});
