import { withDatabase } from '#adapters/duckdb/database.ts';
import { canonicalJson, parseCanonical } from '#domain/canonical/digest.ts';
import { Golden } from '#domain/data/golden.ts';
import { GatehouseError, type Refusal } from '#domain/error.ts';
import type { Scoring } from '#ports/scoring.ts';
import { constantModel } from './constant-model.ts';
import { checkGolden, makeGolden } from './golden.ts';
import { explainFiles } from './importance.ts';
import { inspectOnnx } from './inspect.ts';
import { sampleRows } from './feature-rows.ts';
import { scoreFile } from './score-file.ts';
import { type Scorer, createScorer } from './scorer.ts';

/** ONNX models run by onnxruntime on one thread. */
export const onnxScoring: Scoring = {
  inspect(model, columns) {
    const inspected = inspectOnnx(model, columns.length);
    return inspected.kind === 'refused' ? inWords(inspected.refusal) : undefined;
  },
  async withModel(model, definition, work) {
    return withScorer(model, definition.features.columns, (scorer) =>
      withDatabase('1GB', async (connection) => ({
        kind: 'done' as const,
        value: await work({
          score: (files) => scoreFile(connection, scorer, definition, files),
          explain: (features) => explainFiles(connection, scorer, definition, features),
        }),
      })),
    );
  },
  async makeGolden(model, definition, features) {
    const sampled = await sampleRows(features, definition);
    const result =
      sampled.kind === 'refused'
        ? sampled
        : await withScorer(model, definition.features.columns, (scorer) => makeGolden(scorer, sampled.rows));
    if (result.kind === 'refused')
      throw new GatehouseError('NOT_SCORABLE', inWords(result.refusal), { ...result.refusal });
    return canonicalJson(result.golden);
  },
  async checkGolden(model, definition, golden) {
    const promised = parseCanonical(Golden, golden, 'golden.json');
    const result = await withScorer(model, definition.features.columns, (scorer) => checkGolden(scorer, promised));
    return result.kind === 'refused' ? inWords(result.refusal) : undefined;
  },
  constantModel: (baseRate, columns) => constantModel({ baseRate, features: columns.length }),
};

async function withScorer<T>(
  model: Uint8Array,
  columns: readonly string[],
  work: (scorer: Scorer) => Promise<T>,
): Promise<T | { readonly kind: 'refused'; readonly refusal: Refusal }> {
  const created = await createScorer(model, columns);
  if (created.kind === 'refused') return created;
  try {
    return await work(created.scorer);
  } finally {
    await created.scorer.close();
  }
}

function inWords({ rule, found, remedy }: Refusal): string {
  return `${rule}: ${found}; ${remedy}`;
}
