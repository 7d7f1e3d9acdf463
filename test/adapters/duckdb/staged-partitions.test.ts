import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { measureFiles } from '#adapters/duckdb/comparison-files.ts';
import { buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { loadEvents } from '#adapters/duckdb/inputs.ts';
import { stagePartitions } from '#adapters/duckdb/staged-partitions.ts';
import { DAILY, definition, FEATURES, eventsOf, labelsOf, only, workspace } from './_fixture.ts';

const { path, parquet } = workspace();
const day = '2026-03-01';
const EVENTS = eventsOf(day, 2);

/** The bytes of a file whose columns have other names of the same length: no writer at hand writes a name twice. */
async function renamed(name: string, select: string, from: string, to: string): Promise<string> {
  const bytes = await readFile(await parquet(name, select));
  await writeFile(path(name), Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1'));
  return path(name);
}

/** Stages some days of events, each of some files. */
const stage = (days: readonly (readonly string[])[]) =>
  stagePartitions({
    definition,
    items: days.map((files, index) => ({ kind: 'events', day, files, out: path(`out-${index}.parquet`) })),
  });

/** What a staged file says of itself: columns with their types, and rows. */
const staged = (index = 0) =>
  withDatabase('512MB', async (connection) => {
    const from = `read_parquet('${path(`out-${index}.parquet`)}')`;
    const columns = await rowsOf(connection, `DESCRIBE FROM ${from}`);
    return {
      columns: columns.map((each) => `${String(each['column_name'])} ${String(each['column_type'])}`),
      rows: await rowsOf(connection, `FROM ${from}`),
    };
  });

const DECLARED = ['id VARCHAR', 'card VARCHAR', 'paid TIMESTAMP', 'amount DOUBLE'];

describe('a staged partition', () => {
  it('is one file of declared columns in declared types, whatever each of its files has', async () => {
    const files = [
      await parquet('whole.parquet', `SELECT * REPLACE (1 AS amount, paid::TIMESTAMPTZ AS paid) FROM (${EVENTS})`),
      await parquet('double.parquet', `SELECT amount, paid, card, id || 'b' AS id FROM (${EVENTS})`),
      await parquet('none.parquet', `FROM (${EVENTS}) LIMIT 0`),
      await parquet('null.parquet', `SELECT * REPLACE (CAST(NULL AS FLOAT) AS amount) FROM (${EVENTS})`),
    ];
    expect(await only(stage([files]))).toEqual({ kind: 'built', rows: 6 });
    const { columns, rows } = await staged();
    expect(columns).toEqual(DECLARED);
    expect(rows.map((row) => row['amount'])).toEqual([1, 1, 0.5, 1.5, null, null]);
    expect(rows[0]?.['paid']).toEqual(new Date('2026-03-01T00:00:00Z'));
  });

  it('keeps what is not declared beside it: nobody else sees what a producer delivers', async () => {
    const files = [
      await parquet('a.parquet', `SELECT *, 1 AS extra, 1 AS mixed, DATE '2026-03-01' AS text FROM (${EVENTS})`),
      await parquet('b.parquet', `SELECT *, 0.5::DOUBLE AS mixed, 'x' AS text FROM (${EVENTS})`),
    ];
    expect(await only(stage([files]))).toMatchObject({ kind: 'built', rows: 4 });
    const { columns, rows } = await staged();
    expect(columns).toEqual([...DECLARED, 'extra INTEGER', 'mixed DOUBLE', 'text VARCHAR']);
    expect(rows.map((row) => [row['extra'], row['mixed'], row['text']])).toEqual([
      [1, 1, '2026-03-01'],
      [1, 1, '2026-03-01'],
      [null, 0.5, 'x'],
      [null, 0.5, 'x'],
    ]);
  });

  it('is refused in the words of the features, and no other with it', async () => {
    const good = await parquet('good.parquet', EVENTS);
    await writeFile(path('text.parquet'), 'not a table');
    const bad = [
      await parquet('type.parquet', `SELECT * REPLACE (amount::VARCHAR AS amount) FROM (${EVENTS})`),
      await parquet('spelling.parquet', `SELECT id, card, paid, amount AS AMOUNT FROM (${EVENTS})`),
      await parquet('day.parquet', `SELECT * REPLACE (paid + INTERVAL 1 DAY AS paid) FROM (${EVENTS})`),
      await parquet('id.parquet', `SELECT * REPLACE (NULL::VARCHAR AS id) FROM (${EVENTS})`),
      path('text.parquet'),
    ];
    const results = await stage([[good], ...bad.map((file) => [good, file]), [good]]);
    const found = results.map((result) => (result.kind === 'refused' ? result.refusal.found : result.rows));
    expect(found).toEqual([
      2,
      'type.parquet of events 2026-03-01: column amount is VARCHAR, declared DOUBLE',
      'spelling.parquet of events 2026-03-01: column amount is missing, there is AMOUNT',
      '2 rows of day.parquet of events 2026-03-01 have paid on another day (UTC)',
      '2 rows of id.parquet of events 2026-03-01 have a null in id or paid',
      expect.stringContaining('text.parquet of events 2026-03-01: '),
      2,
    ]);
    for (const [index, file] of bad.entries()) {
      const read = await withDatabase('512MB', (connection) => loadEvents(connection, definition, [{ day, file }]));
      const again = results[index + 1];
      expect(again?.kind === 'refused' ? again.refusal : undefined).toEqual(read);
    }
  });
});

describe('a column that is there twice', () => {
  it.each(['amount', 'AMOUNT'])('is refused by name in features and in checks: amount and %s', async (second) => {
    const select = `SELECT *, {'amount': 1, 'amounts': [1]} AS nested, 1000.0::DOUBLE AS amoun2 FROM (${EVENTS})`;
    const file = await renamed('twice.parquet', select, 'amoun2', second);
    const found = `twice.parquet of events 2026-03-01: column amount is there 2 times (amount, ${second})`;
    expect(await only(stage([[file]]))).toMatchObject({ kind: 'refused', refusal: { found } });
    const items = [{ day, events: [{ day, file }], daily: [], out: path('features.parquet') }];
    const built = await only(buildFeatures({ sql: { daily: DAILY, features: FEATURES }, definition, items }));
    expect(built).toMatchObject({ kind: 'refused', refusal: { rule: 'columns-unique', found } });
  });

  it('is no column of the same name within another one', async () => {
    const nested = `SELECT {'amount': 1, 'id': ['x']} AS before, *, {'amount': 1} AS after FROM (${EVENTS})`;
    expect(await only(stage([[await parquet('nested.parquet', nested)]]))).toMatchObject({ kind: 'built', rows: 2 });
  });

  it('is refused in files to compare, Parquet or CSV', async () => {
    const rows =
      'SELECT i::VARCHAR AS row_id, 0.5::DOUBLE AS prediction, 0.1::DOUBLE AS predictio2 FROM range(2) AS t(i)';
    const labels = await parquet(
      'l.parquet',
      "SELECT i::VARCHAR AS row_id, i AS label, 'c' AS cluster FROM range(2) AS t(i)",
    );
    const champion = await renamed('champion.parquet', rows, 'predictio2', 'prediction');
    await writeFile(path('candidate.csv'), 'row_id,prediction,Prediction\n0,0.5,0.1\n1,0.5,0.1\n');
    expect(await measureFiles({ labels, champion, candidate: path('candidate.csv') })).toEqual({
      kind: 'invalid',
      flaws: [
        'champion: champion.parquet: column prediction is there 2 times (prediction, prediction)',
        'candidate: column prediction is there 2 times (prediction, Prediction)',
      ],
    });
  });
});

describe('labels', () => {
  it('are staged as they are read', async () => {
    const file = await parquet('labels.parquet', `SELECT *, 1 AS extra FROM (${labelsOf(day, '2026-03-02', 3)})`);
    const items = [{ kind: 'labels' as const, day: '2026-03-02', files: [file], out: path('out-0.parquet') }];
    expect(await only(stagePartitions({ definition, items }))).toEqual({ kind: 'built', rows: 3 });
    expect((await staged()).columns).toEqual(['id VARCHAR', 'bad BOOLEAN', 'seen TIMESTAMP', 'extra INTEGER']);
  });
});
