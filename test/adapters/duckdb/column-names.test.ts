import { readFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { measureComparison } from '#adapters/duckdb/comparison.ts';
import { name, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { readScoredRows } from '#adapters/duckdb/scored-rows.ts';
import { measureTrainingRows } from '#adapters/duckdb/training-figures.ts';
import { exportTrainingRows } from '#adapters/duckdb/training-rows.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { inconsistencies } from '#domain/model/consistency.ts';
import { ColumnName, type ModelDefinition } from '#domain/model/definition.ts';
import { workspace } from './_fixture.ts';

const { path, parquet } = workspace();
const [DAY, ARRIVED] = ['2001-03-04', '2001-03-06'];

/** The columns of a model: id, entity, time, an input, the label, when it arrived, and a feature that SQL makes. */
type Names = readonly [
  id: string,
  entity: string,
  time: string,
  input: string,
  label: string,
  arrivedAt: string,
  made: string,
];

function definitionWith([id, entity, time, input, label, arrivedAt, made]: Names) {
  const sql = { path: 'features/daily.sql', sha256: digestOf('') };
  return {
    events: {
      source: 'e',
      readyMarker: '_READY',
      id,
      entity,
      time,
      columns: { [id]: 'BIGINT', [entity]: 'VARCHAR', [time]: 'TIMESTAMP', [input]: 'DOUBLE' },
    },
    labels: {
      source: 'l',
      readyMarker: '_READY',
      join: id,
      value: label,
      arrivedAt,
      columns: { [id]: 'BIGINT', [label]: 'BOOLEAN', [arrivedAt]: 'TIMESTAMP' },
      matureAfterDays: 2,
    },
    features: { daily: sql, features: sql, columns: [input, made], aggregateDays: 7, eventDays: 2 },
  } satisfies Pick<ModelDefinition, 'events' | 'labels' | 'features'>;
}

/** Everything that is done with a model's columns, and what comes out. */
async function lifecycle(names: Names, run: string) {
  const definition = definitionWith(names);
  const [id, entity, time, input, label, arrivedAt, made] = names.map(name);
  const at = (file: string): string => `${run}-${file}`;
  const row = `i::BIGINT AS ${id}, 'card-' || (i % 3) AS ${entity}, TIMESTAMP '${DAY}' + to_hours(i) AS ${time}, (i + 0.5)::DOUBLE AS ${input}`;
  const events = await parquet(at('events.parquet'), `SELECT ${row} FROM range(12) t(i)`);
  const labels = await parquet(
    at('labels.parquet'),
    `SELECT i::BIGINT AS ${id}, i % 2 = 1 AS ${label}, TIMESTAMP '${ARRIVED}' + to_hours(i) AS ${arrivedAt} FROM range(12) t(i)`,
  );
  // Labels of another day are loaded beside them.
  const earlier = await parquet(
    at('earlier.parquet'),
    `SELECT i::BIGINT AS ${id}, i % 2 = 0 AS ${label}, TIMESTAMP '${DAY}' + to_hours(i) AS ${arrivedAt} FROM range(12) t(i)`,
  );
  const [eventDay, labelDay] = [
    { day: DAY, file: events },
    { day: ARRIVED, file: labels },
  ];
  const daily = await buildDaily({
    sql: `SELECT events.${entity}, count(*) AS _total FROM labels JOIN events USING (${id}) GROUP BY events.${entity}`,
    definition,
    items: [{ day: ARRIVED, events: [eventDay], labels: [labelDay], out: path(at('daily.parquet')) }],
  });
  const out = path(at('features.parquet'));
  const built = await buildFeatures({
    sql: {
      daily: 'SELECT 1 AS _total FROM labels',
      features: `SELECT events.${id}, events.${entity}, events.${time}, events.${input}, daily._total AS ${made}
                 FROM events LEFT JOIN daily USING (${entity}) WHERE CAST(events.${time} AS DATE) = getvariable('partition')`,
    },
    definition,
    items: [{ day: DAY, events: [eventDay], daily: [{ day: '2001-03-03', file: path(at('daily.parquet')) }], out }],
  });
  const features = [{ day: DAY, file: out }];
  const both = [labelDay, { day: DAY, file: earlier }];
  const exported = await exportTrainingRows({ features, labels: both, definition, out: path(at('rows')) });
  if (exported.kind !== 'built') throw new Error(JSON.stringify({ names, daily, built, exported }));
  const figures = await measureTrainingRows({ rows: exported.files, features: [out], definition });
  const predicted = (file: string, by: string) =>
    parquet(at(file), `SELECT i::VARCHAR AS row_id, (${by})::DOUBLE AS prediction FROM range(12) t(i)`);
  const predictions = await predicted('champion.parquet', '0.4');
  const compared = await measureComparison({
    features: [out],
    labels: both,
    champion: [predictions],
    candidate: [await predicted('candidate.parquet', 'i / 20')],
    definition,
    cluster: definition.events.entity,
    byDay: true,
    slices: [definition.features.columns[1] ?? ''],
  });
  if (compared.kind !== 'measured') throw new Error(JSON.stringify({ names, compared }));
  const { clusterColumn: _cluster, slices, ...measure } = compared.measure;
  const rows = await withDatabase('256MB', (connection) =>
    rowsOf(connection, `FROM read_parquet('${exported.files[0] ?? ''}')`),
  );
  return {
    daily: daily.map((each) => each.kind),
    built: built.map((each) => (each.kind === 'built' ? each.rows : each)),
    rows: rows.map((each) => Object.values(each)),
    columns: Object.keys(rows[0] ?? {}),
    figures: figures.kind === 'measured' ? figures.rows.inputs.map(({ missing, auc }) => ({ missing, auc })) : figures,
    measure,
    slices: slices.map(({ column: _column, ...each }) => each),
    scored: await readScoredRows(definition, { features: out, predictions }),
  };
}

/** Names that mean something to DuckDB, to this code, or to nobody. */
const words = await withDatabase('256MB', async (connection) => {
  const rows = await rowsOf(connection, 'SELECT keyword_name AS word FROM duckdb_keywords()');
  const code = await Promise.all(
    [
      'inputs',
      'training-rows',
      'training-figures',
      'comparison',
      'comparison-sums',
      'featurizer',
      'feature-checks',
    ].map((file) => readFile(new URL(`../../../src/adapters/duckdb/${file}.ts`, import.meta.url), 'utf8')),
  );
  const own = code.join(' ').match(/\b[a-z][a-z0-9_]*\b/g) ?? [];
  return [...new Set([...rows.map(({ word }) => String(word)), ...own, 'rowid', 'row_id', 'prediction', 'day'])];
});
const ColumnNames = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...words) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/) },
);

it('gives the same whatever the columns of a model are called', async () => {
  const plain: Names = ['payment', 'card', 'paid_at', 'amount', 'fraud', 'told_at', 'total_before'];
  const { columns: _columns, ...expected } = await lifecycle(plain, 'plain');
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(ColumnNames, { minLength: 7, maxLength: 7 }), async (given) => {
      const names = given as unknown as Names;
      fc.pre(given.every((each) => ColumnName.safeParse(each).success));
      const named = definitionWith(names);
      // What cannot be is said before anything is built.
      fc.pre(namesAreAllowed(named));
      const { columns, ...found } = await lifecycle(names, String((run += 1)));
      expect(found).toEqual(expected);
      const [id, , , input, label, , made] = names;
      expect(columns).toEqual([id, 'day', input, made, label]);
    }),
    {
      numRuns: 6,
      examples: [
        [['rowid', 'row_id', 'day', 'by_total', 'value', 'id', 'label_value']],
        [['id', 'value', 'c', 'rowid', 'id_1', 'labels', 'by_value']],
      ],
    },
  );
}, 60_000);

it.each(['BIGINT', 'VARCHAR'] as const)('looks at each row where the id is a %s called rowid', async (type) => {
  const base = definitionWith(['rowid', 'card', 'paid_at', 'amount', 'fraud', 'told_at', 'total_before']);
  const definition = { ...base, events: { ...base.events, columns: { ...base.events.columns, rowid: type } } };
  const refusalOf = async (file: string, change: string) => {
    const row = `(7000 + i)::${type} AS rowid, 'c' AS card, TIMESTAMP '${DAY}' + to_hours(i) AS paid_at, 1.5::DOUBLE AS amount`;
    const events = await parquet(
      `${type}-${file}`,
      `SELECT * REPLACE (${change}) FROM (SELECT ${row} FROM range(6) t(i))`,
    );
    const files = { day: DAY, file: events };
    const sql = { daily: 'SELECT 1 AS n FROM labels', features: 'SELECT 1' };
    const items = [{ day: DAY, events: [files], daily: [], out: path('none.parquet') }];
    const [built] = await buildFeatures({ sql, definition, items });
    return built?.kind === 'refused' ? built.refusal.found : built;
  };
  const first = `rowid = 7001::${type}`;
  expect(
    await refusalOf('day.parquet', `CASE WHEN ${first} THEN paid_at + INTERVAL 2 DAY ELSE paid_at END AS paid_at`),
  ).toMatch(/^1 rows of .* have paid_at on another day/);
  expect(await refusalOf('null.parquet', `CASE WHEN ${first} THEN NULL ELSE paid_at END AS paid_at`)).toMatch(
    /^1 rows of .* have a null in rowid or paid_at/,
  );
});

function namesAreAllowed(named: ReturnType<typeof definitionWith>): boolean {
  const whole = {
    ...named,
    windows: [{ name: 'all', since: '2001-01-01' }],
    schedule: { cron: 'rate(1 day)', timezone: 'UTC' },
  };
  return inconsistencies(whole as unknown as ModelDefinition).length === 0;
}
