import { readFile } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { PARQUET, literal } from '#adapters/duckdb/database.ts';
import { source } from '#adapters/duckdb/inputs.ts';
import { doublesFunction } from '#adapters/duckdb/vectors.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { ScoredFile, ScoringFiles } from '#ports/scoring.ts';
import { type Earlier, type IdentifiedRows, partRows } from './carry-over.ts';
import { type Definition, idText, readFeatures, readIds } from './feature-rows.ts';
import type { Scorer, Scores } from './scorer.ts';

type Refused = { readonly kind: 'refused'; readonly refusal: Refusal };

/** The engine's connection, the model, and how to set the rows of table function `scored`. */
interface Engines {
  readonly connection: DuckDBConnection;
  readonly scorer: Scorer;
  readonly definition: Definition;
  readonly setScored: (predictions: Float64Array) => void;
}

/** Makes ready to score feature partitions one after the other. */
export function fileScorer(
  connection: DuckDBConnection,
  scorer: Scorer,
  definition: Definition,
): (files: ScoringFiles) => Promise<ScoredFile | Refused> {
  const setScored = doublesFunction(connection, 'scored', 'prediction');
  return (files) => scoreFile({ connection, scorer, definition, setScored }, files);
}

/**
 * Scores a feature partition to a prediction partition: `row_id` VARCHAR and `prediction` DOUBLE, P(label = 1), in the
 * order of the row ids. The same features, model and engines make the same bytes, whether rows were carried over from an
 * earlier partition or not.
 */
async function scoreFile(
  { connection, scorer, definition, setScored }: Engines,
  { features, out, previous }: ScoringFiles,
): Promise<ScoredFile | Refused> {
  const read = await readFeatures(connection, features, definition);
  if ('rule' in read) return { kind: 'refused', refusal: read };
  const earlier = previous === undefined ? undefined : await readEarlier(connection, definition, previous);
  // Ids become texts where rows are told apart by them only.
  const rows = { ...read, ids: earlier === undefined ? [] : await readIds(connection, features, definition) };
  const { scores, carried, dropped } = await scoreRows(scorer, rows, earlier);
  if (scores.kind === 'refused') return scores;
  setScored(scores.predictions);
  // A sort takes as long as reading the features did, and changes nothing where they are in order.
  const order = read.inOrder ? '' : 'ORDER BY row_id';
  await connection.run(
    `COPY (FROM (SELECT ${idText(definition.events)} AS row_id FROM ${source(features)}) POSITIONAL JOIN scored() ${order})
     TO ${literal(out)} (${PARQUET})`,
  );
  return { kind: 'built', rows: read.count, sha256: digestOf(await readFile(out)), carried, dropped };
}

/** Carries over what may be carried over, and scores the rest; if a carried row is found to score otherwise now, all is scored. */
async function scoreRows(
  scorer: Scorer,
  rows: IdentifiedRows,
  earlier: Earlier | undefined,
): Promise<{ readonly scores: Scores; readonly carried: number; readonly dropped: number }> {
  if (earlier !== undefined) {
    const { predictions, toScore, carried, checked, dropped } = partRows(rows, earlier);
    const width = rows.values.length / Math.max(1, rows.count);
    const part = new Float32Array(toScore.length * width);
    for (const [index, row] of toScore.entries())
      part.set(rows.values.subarray(row * width, (row + 1) * width), index * width);
    const scores = await scorer.score(part, toScore.length);
    if (scores.kind === 'refused') return { scores, carried: 0, dropped };
    const differs = toScore.some(
      (row, index) => checked.has(row) && !Object.is(scores.predictions[index], predictions[row]),
    );
    if (!differs) {
      for (const [index, row] of toScore.entries()) predictions[row] = scores.predictions[index] ?? Number.NaN;
      return { scores: { kind: 'scored', predictions }, carried, dropped };
    }
  }
  return { scores: await scorer.score(rows.values, rows.count), carried: 0, dropped: 0 };
}

/** What an earlier scoring left, or nothing where its files are not what they were. */
async function readEarlier(
  connection: DuckDBConnection,
  definition: Definition,
  files: NonNullable<ScoringFiles['previous']>,
): Promise<Earlier | undefined> {
  const read = await readFeatures(connection, files.features, definition);
  if ('rule' in read) return undefined;
  const rows = { ...read, ids: await readIds(connection, files.features, definition) };
  const reader = await connection.runAndReadAll(`SELECT row_id, prediction FROM ${source(files.predictions)}`);
  const [ids = [], predictions = []] = reader.getColumnsJS();
  return { rows, predictions: new Map(ids.map(String).map((id, index) => [id, Number(predictions[index])])) };
}
