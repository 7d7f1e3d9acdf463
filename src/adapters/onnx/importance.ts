import type { DuckDBConnection } from '@duckdb/node-api';
import type { FeatureImportances } from '#domain/report/explanation.ts';
import { mulberry32, SEED, shuffled } from '#domain/statistics/bootstrap.ts';
import type { Importances } from '#ports/scoring.ts';
import { type Definition, idText, readFeatures } from './feature-rows.ts';
import type { Scorer, Scores } from './scorer.ts';

type Refused = Extract<Scores, { kind: 'refused' }>;

/** Rows of all partitions together: enough that the mean stands, few enough that 500 features take half a minute. */
const SAMPLE = 4000;
const REPEATS = 5;
/** As losses clip them: a probability of 0 has no logit. */
const CLIP = 1e-6;

/**
 * Importances by shuffling, on rows that are drawn from each partition by the hash of their ids: the same partitions and
 * model have the same importances.
 */
export async function explainFiles(
  connection: DuckDBConnection,
  scorer: Scorer,
  definition: Definition,
  files: readonly string[],
): Promise<Importances | Refused> {
  const { columns } = scorer;
  const each = Math.ceil(SAMPLE / Math.max(1, files.length));
  const parts: Float32Array[] = [];
  for (const file of files) {
    const id = idText(definition.events);
    const read = await readFeatures(connection, file, definition, `ORDER BY md5(${id}), ${id} LIMIT ${String(each)}`);
    if ('rule' in read) return { kind: 'refused', refusal: read };
    parts.push(read.values);
  }
  const values = Float32Array.from(parts.flatMap((part) => [...part]));
  const rows = values.length / columns.length;
  if (rows === 0) {
    const why = {
      rule: 'rows-to-explain',
      found: 'the partitions have no row',
      remedy: 'compare on other days',
    } as const;
    return { kind: 'refused', refusal: why };
  }
  const before = await scorer.score(values, rows);
  if (before.kind === 'refused') return before;
  const logits = before.predictions.map(logit);
  const features: FeatureImportances['features'][number][] = [];
  for (const [column, of] of columns.entries()) {
    const changes: number[] = [];
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      const order = shuffled(rows, mulberry32(SEED + column * REPEATS + repeat));
      const changed = values.slice();
      for (let row = 0; row < rows; row += 1)
        changed[row * columns.length + column] = values[(order[row] ?? 0) * columns.length + column] ?? Number.NaN;
      const after = await scorer.score(changed, rows);
      if (after.kind === 'refused') return after;
      const moved = after.predictions.reduce((sum, p, row) => sum + Math.abs(logit(p) - (logits[row] ?? 0)), 0);
      changes.push(moved / rows);
    }
    const change = changes.reduce((sum, one) => sum + one, 0) / REPEATS;
    features.push({ name: of, change, lowest: Math.min(...changes), highest: Math.max(...changes) });
  }
  return { kind: 'explained', importances: { rows, repeats: REPEATS, seed: SEED, features } };
}

function logit(p: number): number {
  const clipped = Math.min(1 - CLIP, Math.max(CLIP, p));
  return Math.log(clipped / (1 - clipped));
}
