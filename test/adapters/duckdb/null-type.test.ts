import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { stagePartitions } from '#adapters/duckdb/staged-partitions.ts';
import { exportTrainingRows } from '#adapters/duckdb/training-rows.ts';
import { PYTHON_FOLDER } from '../../models/_programs.ts';
import { definition, FEATURES, only, workspace } from './_fixture.ts';

const { path, parquet } = workspace();
const day = '2026-03-01';

/** Files as pyarrow writes them: a column of which it saw no value has the type null, which DuckDB never writes. */
const PROGRAM = `
import datetime, sys
import pyarrow as pa, pyarrow.parquet as pq
at = lambda day: pa.array([datetime.datetime(2026, 3, day, 1), datetime.datetime(2026, 3, day, 2)], pa.timestamp("us"))
def events(name, mark, **columns):
    ids = pa.array([f"{mark}-0", f"{mark}-1"])
    table = {"id": ids, "card": pa.array(["c0", "c1"]), "paid": at(1), "amount": pa.array([0.5, 1.5]), **columns}
    pq.write_table(pa.table(table), f"{sys.argv[1]}/{name}.parquet")
none = pa.nulls(2)
events("whole", "w")
events("no-amount", "n", amount=none)
events("no-card", "k", card=none)
events("no-id", "i", id=none)
events("no-time", "t", paid=none)
events("whole-numbers", "b", amount=pa.array([1, 2]))
events("beside", "x", beside=none)
events("beside-number", "y", beside=pa.array([7, 8]))
labels = {"id": pa.array(["w-0", "w-1"]), "bad": pa.array([True, False]), "seen": at(2)}
for name in ("none", "id", "bad", "seen"):
    pq.write_table(pa.table({k: none if k == name else v for k, v in labels.items()}), f"{sys.argv[1]}/labels-{name}.parquet")
`;
beforeAll(async () => {
  await promisify(execFile)(join(PYTHON_FOLDER, 'python'), ['-c', PROGRAM, path('.')]);
});

const files = (names: readonly string[]): string[] => names.map((name) => path(`${name}.parquet`));

/** What the data check would validate of a day of events in some files: its rows, or why it is refused. */
async function staged(...names: readonly string[]) {
  const out = path('staged.parquet');
  const result = await only(
    stagePartitions({ definition, items: [{ kind: 'events', day, files: files(names), out }] }),
  );
  if (result.kind === 'refused') return result.refusal.found;
  return withDatabase('512MB', (connection) => rowsOf(connection, `FROM '${out}' ORDER BY id`));
}

/** What the features read of the same day. */
async function features(...names: readonly string[]) {
  const out = path('features.parquet');
  const daily = [
    { day: '2026-02-28', file: await parquet('daily.parquet', `SELECT 'c0' AS card, 1 AS bad, 2 AS total`) },
  ];
  const events = files(names).map((file) => ({ day, file }));
  const sql = { daily: 'SELECT 1 AS x', features: FEATURES };
  const result = await only(buildFeatures({ sql, definition, items: [{ day, events, daily, out }] }));
  if (result.kind === 'refused') return result.refusal.found;
  return withDatabase('512MB', (connection) => rowsOf(connection, `FROM '${out}' ORDER BY id`));
}

describe('a column of events that pyarrow wrote without a type', () => {
  it('is null in the declared type where it may be, in any of its files', async () => {
    for (const names of [
      ['no-amount', 'whole'],
      ['whole', 'no-amount'],
    ]) {
      const amounts = [null, null, 0.5, 1.5];
      expect((await staged(...names)) as unknown).toMatchObject(amounts.map((amount) => ({ amount })));
      expect((await features(...names)) as unknown).toMatchObject(amounts.map((amount) => ({ amount })));
    }
    expect(await staged('no-amount')).toMatchObject([{ amount: null }, { amount: null }]);
    // A card that nobody knows has no rate of the past.
    expect(await features('no-card')).toMatchObject([
      { card: null, rate: null },
      { card: null, rate: null },
    ]);
  });

  it.each([
    ['no-id', '2 rows of no-id.parquet of events 2026-03-01 have a null in id or paid'],
    ['no-time', '2 rows of no-time.parquet of events 2026-03-01 have a null in id or paid'],
    ['whole-numbers', 'whole-numbers.parquet of events 2026-03-01: column amount is BIGINT, declared DOUBLE'],
  ])('is refused by name as %s', async (name, found) => {
    expect(await staged('whole', name)).toBe(found);
    expect(await features('whole', name)).toBe(found);
  });

  it('is kept beside the declared ones, as the type that another file gives it', async () => {
    const known = await staged('beside', 'beside-number', 'whole');
    expect(known).toMatchObject([null, null, null, null, 7, 8].map((beside) => ({ beside })));
    expect(await staged('beside')).toMatchObject([{ beside: null }, { beside: null }]);
    expect(await features('beside')).toHaveLength(2);
  });
});

describe('a column of labels that pyarrow wrote without a type', () => {
  it.each(['id', 'bad', 'seen'])(
    'is refused by name as %s, in checks, aggregates and training rows',
    async (column) => {
      const file = path(`labels-${column}.parquet`);
      const found = `2 rows of labels-${column}.parquet of labels 2026-03-02 have a null in id or bad or seen`;
      const labelled = { day: '2026-03-02', file };
      const out = path('out.parquet');
      expect(
        await only(stagePartitions({ definition, items: [{ kind: 'labels', day: '2026-03-02', files: [file], out }] })),
      ).toMatchObject({ refusal: { found } });
      const events = [{ day, file: path('whole.parquet') }];
      const sql =
        'SELECT card, count(*) FILTER (bad) AS bad, count(*) AS total FROM labels JOIN events USING (id) GROUP BY card';
      const items = [{ day: '2026-03-02', events, labels: [labelled], out }];
      expect(await only(buildDaily({ sql, definition, items }))).toMatchObject({ refusal: { found } });
      const rows = {
        features: [{ day, file: path('features.parquet') }],
        labels: [labelled],
        definition,
        out: path('train'),
      };
      expect(await exportTrainingRows(rows)).toMatchObject({ refusal: { found } });
    },
  );
});
