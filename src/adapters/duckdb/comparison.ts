import type { DuckDBConnection } from '@duckdb/node-api';
import { ComparisonMeasure } from '#domain/comparison/measure.ts';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { decisionsOf, scoresOf } from './comparison-scores.ts';
import { compareRows, countsOf, groupText, predictionOf, rankingsOf, sumsOf } from './comparison-sums.ts';
import { name, type Refused, rowsOf, withinMemory } from './database.ts';
import { checkSchema, describe, loadLabels, source } from './inputs.ts';
import { rankLabels } from './label-joins.ts';
import { loadFeatures } from './training-rows.ts';
import type { DayFile } from '#ports/feature-engine.ts';

type Side = 'champion' | 'candidate';

/**
 * Measures two releases on the same rows, joined on the row id: sums by cluster (the day of the event, a column of the
 * features, or that column and the day) and by slice, counts of everything that a fair comparison must not have. It judges nothing; a pure gate does,
 * from these numbers alone.
 */
export async function measureComparison(input: {
  readonly features: readonly string[];
  readonly labels: readonly DayFile[];
  readonly champion: readonly string[];
  readonly candidate: readonly string[];
  readonly definition: Pick<ModelDefinition, 'events' | 'labels' | 'features'>;
  readonly cluster?: string | undefined;
  readonly byDay?: boolean | undefined;
  readonly slices?: readonly string[] | undefined;
  readonly threshold?: number | undefined;
  readonly memory?: string;
}): Promise<{ readonly kind: 'measured'; readonly measure: ComparisonMeasure } | Refused> {
  const { features, labels, champion, candidate, definition, threshold, memory = ENGINE_MEMORY } = input;
  const { cluster = 'day', byDay = false, slices = [] } = input;
  const columns = [cluster, ...slices].filter((column) => column !== 'day');
  const about = () => `a comparison over ${features.length} days of features and ${labels.length} files of labels`;
  const result = await withinMemory({ memory, about }, async (connection) => {
    const refusal =
      (await loadFeatures(connection, definition, features, columns)) ??
      (await loadLabels(connection, definition, labels)) ??
      (await loadPredictions(connection, 'champion', champion)) ??
      (await loadPredictions(connection, 'candidate', candidate));
    if (refusal !== undefined) return refusal;
    await rankLabels(connection, definition.labels);
    const sums = await measure(connection, { cluster, byDay, blockDays: definition.labels.horizonDays }, slices);
    return { ...sums, ...(threshold === undefined ? {} : { decisions: await decisionsOf(connection, threshold) }) };
  });
  if ('kind' in result) return result;
  return 'rule' in result ? { kind: 'refused', refusal: result } : { kind: 'measured', measure: result };
}

async function loadPredictions(
  connection: DuckDBConnection,
  side: Side,
  files: readonly string[],
): Promise<Refusal | undefined> {
  await connection.run(`CREATE TABLE ${side} (id VARCHAR, p DOUBLE)`);
  for (const file of files) {
    const what = `predictions of the ${side}`;
    const described = await describe(connection, file, what);
    const refusal = Array.isArray(described)
      ? checkSchema(described, { row_id: 'VARCHAR', prediction: 'DOUBLE' }, what)
      : described;
    if (refusal !== undefined) return refusal;
    await connection.run(`INSERT INTO ${side} SELECT row_id, ${predictionOf('prediction')} FROM ${source(file)}`);
  }
  return undefined;
}

/** What rows that rise and fall together have in common. */
interface Unit {
  readonly cluster: string;
  readonly byDay: boolean;
  /** Days that count as one, because what happens in them decides the same labels. */
  readonly blockDays: number | undefined;
}

async function measure(
  connection: DuckDBConnection,
  { cluster, byDay, blockDays }: Unit,
  slices: readonly string[],
): Promise<ComparisonMeasure> {
  // Blocks are counted from the first day that is compared; the last one may have fewer days, and depends on none before it.
  const start =
    blockDays === undefined
      ? 'features._day'
      : `features._day - CAST((features._day - (SELECT min(_day) FROM feature_rows)) % ${String(blockDays)} AS INTEGER)`;
  const day = `strftime(${start}, '%Y-%m-%d')`;
  const group = (column: string): string => (column === 'day' ? day : groupText(`features.${name(`_by_${column}`)}`));
  const unit = byDay ? `${day} || ' ' || ${group(cluster)}` : group(cluster);
  const sliced = slices.map((column, index) => `, ${group(column)} AS slice_${String(index)}`).join('');
  // Ids are compared as texts, as predictions have them.
  await connection.run(
    "CREATE TABLE feature_rows AS SELECT CAST(_id AS VARCHAR) AS id, COLUMNS('^_(day$|by_)') FROM features",
  );
  await connection.run('CREATE TABLE label_rows AS SELECT CAST(id AS VARCHAR) AS id, value FROM newest_labels');
  const tables = ['feature_rows', 'label_rows'] as const;
  const repeats = await compareRows(
    connection,
    tables,
    (once) => `SELECT features.id, ${unit} AS cluster, value ${sliced}
      FROM ${once('feature_rows')} features LEFT JOIN ${once('label_rows')} labels USING (id)`,
    slices.length,
  );
  const [totals = {}] = await rowsOf(
    connection,
    `SELECT (SELECT count(*) FROM feature_rows) AS "featureRows",
            (SELECT count(*) FROM feature_rows ANTI JOIN label_rows USING (id)) AS unlabelled,
            (SELECT count(*) FROM label_rows ANTI JOIN feature_rows USING (id)) AS "otherLabels"`,
  );
  const sums = await sumsOf(connection, slices);
  const rankings = await rankingsOf(connection, sums.clusters);
  return ComparisonMeasure.parse({
    formatVersion: 2,
    clusterColumn: byDay ? `day and ${cluster}` : cluster,
    ...(blockDays === undefined || !(byDay || cluster === 'day') ? {} : { blockDays }),
    flaws: [],
    duplicateFeatures: repeats.feature_rows,
    duplicateLabels: repeats.label_rows,
    ...totals,
    ...sums,
    scores: await scoresOf(connection),
    champion: { ...(await countsOf(connection, 'champion', 'feature_rows', repeats)), ...rankings.champion },
    candidate: { ...(await countsOf(connection, 'candidate', 'feature_rows', repeats)), ...rankings.candidate },
  });
}
