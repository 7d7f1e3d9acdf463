import type { DuckDBConnection } from '@duckdb/node-api';
import type { TrainingRows } from '#domain/data/data-check.ts';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { name, numberOf, type Refused, rowsOf, withinMemory } from './database.ts';
import { source, sources } from './inputs.ts';

/**
 * What a person would ask of exported training rows before training: how many events have a label, and
 * what each input says of it by itself.
 */
export async function measureTrainingRows(input: {
  readonly rows: readonly string[];
  readonly features: readonly string[];
  readonly definition: Pick<ModelDefinition, 'labels' | 'features'>;
  readonly memory?: string;
}): Promise<{ readonly kind: 'measured'; readonly rows: Omit<TrainingRows, 'joins'> } | Refused> {
  const { rows: files, features, definition, memory = ENGINE_MEMORY } = input;
  const about = () => `figures of training rows of ${features.length} days`;
  return withinMemory({ memory, about, spills: true }, async (connection) => {
    let events = 0;
    for (const each of features) events += await numberOf(connection, `SELECT count(*) FROM ${source(each)}`);
    await connection.run(
      // Not copied: one column is in memory at a time.
      `CREATE VIEW training_rows AS SELECT *, ${name(definition.labels.value)} AS _label FROM ${sources(files)}`,
    );
    const inputs: TrainingRows['inputs'] = [];
    for (const column of definition.features.columns) inputs.push(await figuresOf(connection, column));
    const rows = await numberOf(connection, 'SELECT count(*) FROM training_rows');
    const positives = await numberOf(connection, 'SELECT coalesce(sum(_label), 0) FROM training_rows');
    return { kind: 'measured', rows: { events, rows, positives, inputs } };
  });
}

/**
 * The area under the ROC curve of one input by itself: the share of pairs of a positive and a negative row that it puts in
 * order, ties by halves (Hanley & McNeil 1982). Below one half it tells as much the other way round.
 */
async function figuresOf(connection: DuckDBConnection, column: string): Promise<TrainingRows['inputs'][number]> {
  const [found = {}] = await rowsOf(
    connection,
    `WITH known AS (
       SELECT CAST(${name(column)} AS DOUBLE) AS _value, _label FROM training_rows
       WHERE ${name(column)} IS NOT NULL AND NOT isnan(CAST(${name(column)} AS DOUBLE))
     ),
     counted AS (
       SELECT _value, CAST(sum(_label) AS DOUBLE) AS positives, CAST(count(*) - sum(_label) AS DOUBLE) AS negatives
       FROM known GROUP BY _value
     ),
     ranked AS (
       SELECT positives, negatives,
              coalesce(sum(negatives) OVER (ORDER BY _value ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS below
       FROM counted
     )
     SELECT sum(positives * (below + negatives / 2)) / nullif(sum(positives) * sum(negatives), 0) AS auc,
            (SELECT 1 - (SELECT count(*) FROM known) / greatest(count(*), 1) FROM training_rows) AS missing
     FROM ranked`,
  );
  const auc = found['auc'] === null || found['auc'] === undefined ? null : Number(found['auc']);
  return { column, missing: Number(found['missing']), auc: auc === null ? null : Math.max(auc, 1 - auc) };
}
