import { doesNotFit, isOutOfMemory, type Refused, withDatabase } from '#adapters/duckdb/database.ts';
import { canonicalJson, parseCanonical } from '#domain/canonical/digest.ts';
import { ENGINE_FUNCTION_MB } from '#domain/data/engine-limits.ts';
import { Golden } from '#domain/data/golden.ts';
import { GatehouseError } from '#domain/error.ts';
import { type Refusal, refusalText } from '#domain/refusal/refusal.ts';
import type { Scoring } from '#ports/scoring.ts';
import { constantModel } from './constant-model.ts';
import { contentDigest } from './content.ts';
import { checkGolden, makeGolden } from './golden.ts';
import { explainFiles } from './importance.ts';
import { inspectOnnx } from './inspect.ts';
import { sampleRows } from './feature-rows.ts';
import { fileScorer } from './score-file.ts';
import { openModel } from './open-model.ts';
import { type Scorer, createScorer } from './scorer.ts';
import { predictAgain } from './trainer-predictions.ts';
import { withoutZipMap } from './zip-map.ts';

/** What the engine may take: half of the function, because the model and the rows that it scores are beside it. */
const MEMORY = `${ENGINE_FUNCTION_MB / 2}MiB`;

/** ONNX models run by onnxruntime on one thread. */
export const onnxScoring: Scoring = {
  unwrapped: withoutZipMap,
  inspect(model, columns) {
    const inspected = inspectOnnx(model, columns.length);
    return inspected.kind === 'refused' ? refusalText(inspected.refusal) : undefined;
  },
  async withModel(model, definition, work) {
    return withScorer(model, definition.features.columns, (scorer) =>
      withDatabase(MEMORY, async (connection) => {
        const scoreFile = fileScorer(connection, scorer, definition);
        const value = await work({
          score: (files) => fitting('features of the day', () => scoreFile(files)),
          explain: (features) =>
            fitting(`features of ${features.length} days`, () =>
              explainFiles(connection, scorer, definition, features),
            ),
        });
        return { kind: 'done' as const, value };
      }),
    );
  },
  async open(model, { features }) {
    const created = await createScorer(model, features.columns);
    if (created.kind === 'refused') return created;
    return { kind: 'loaded', model: openModel(created.scorer) };
  },
  async makeGolden(model, definition, features) {
    const sampled = await sampleRows(features, definition);
    const result =
      sampled.kind === 'refused'
        ? sampled
        : await withScorer(model, definition.features.columns, (scorer) => makeGolden(scorer, sampled.rows));
    if (result.kind === 'refused')
      throw new GatehouseError('NOT_SCORABLE', refusalText(result.refusal), { ...result.refusal });
    return canonicalJson(result.golden);
  },
  async checkGolden(model, definition, golden) {
    const promised = parseCanonical(Golden, golden, 'golden.json');
    const result = await withScorer(model, definition.features.columns, (scorer) => checkGolden(scorer, promised));
    return result.kind === 'refused' ? refusalText(result.refusal) : undefined;
  },
  async sameAs(model, definition, other) {
    if (contentDigest(model) === contentDigest(other.model)) return 'it has the same operators and weights';
    const promised = parseCanonical(Golden, other.golden, 'golden.json');
    const result = await withScorer(model, definition.features.columns, (scorer) => checkGolden(scorer, promised));
    // What cannot be scored by these rows, because it has other columns, is another model.
    return result.kind === 'refused' ? undefined : `it predicts the same for all ${result.rows} golden rows`;
  },
  predictAgain(model, definition, files) {
    return withScorer(model, definition.features.columns, (scorer) => predictAgain(scorer, definition, files));
  },
  constantModel: (baseRate, columns) => constantModel({ baseRate, features: columns.length }),
};

/** A day that does not fit into memory is refused, and the others go on. */
async function fitting<T>(what: string, work: () => Promise<T>): Promise<T | Refused> {
  try {
    return await work();
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    return { kind: 'refused', refusal: doesNotFit(what, MEMORY) };
  }
}

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
