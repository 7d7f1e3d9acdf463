import { InferenceSession, Tensor, env } from 'onnxruntime-node';
import { type Refusal, refusal, type Refusing } from '#domain/refusal/refusal.ts';
import { probabilityOf } from '#domain/statistics/probability.ts';
import { type OnnxInspection, inspectOnnx } from './inspect.ts';

/** The runtime by name and version, as `SCORER` in the domain names it. */
export const runtimeVersion = `onnxruntime ${env.versions.node ?? env.versions.common}`;

/** P(label = 1) of each row, or why there is none. */
export type Scores = { readonly kind: 'scored'; readonly predictions: Float64Array } | Refused;

type Refused = { readonly kind: 'refused'; readonly refusal: Refusal };

/** A model that was promoted and loaded. */
export interface Scorer {
  readonly columns: readonly string[];
  readonly inspection: OnnxInspection;
  /** `rows` holds the features of `count` rows, row after row; a missing value is NaN. */
  score(rows: Float32Array, count: number): Promise<Scores>;
  /** Frees the native session; a warm function would keep it for ever otherwise. */
  close(): Promise<void>;
}

/** Rows that are scored at once: 65,536 rows of 500 features are 131 MB. */
const BATCH = 65_536;

/**
 * Inspects and loads a model. One thread and a fixed order of execution, so that the same rows give the same bits.
 */
export async function createScorer(
  bytes: Uint8Array,
  columns: readonly string[],
): Promise<{ readonly kind: 'ready'; readonly scorer: Scorer } | Refused> {
  const inspected = inspectOnnx(bytes, columns.length);
  if (inspected.kind === 'refused') return inspected;
  const { inspection } = inspected;
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(bytes, {
      executionProviders: ['cpu'],
      executionMode: 'sequential',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
    });
  } catch (error) {
    return refused(
      'onnx-loads',
      messageOf(error),
      'export the model again, with operators of an older version if need be',
    );
  }
  const scorer: Scorer = {
    columns,
    inspection,
    score: (rows, count) => score(session, inspection, rows, count),
    close: () => session.release(),
  };
  return { kind: 'ready', scorer };
}

async function score(
  session: InferenceSession,
  inspection: OnnxInspection,
  rows: Float32Array,
  count: number,
): Promise<Scores> {
  const { features, input, probabilities, classes } = inspection;
  if (rows.length !== count * features) {
    throw new RangeError(`${String(rows.length)} values are no ${String(count)} rows of ${String(features)} features`);
  }
  const predictions = new Float64Array(count);
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first);
    const batch = rows.subarray(first * features, (first + size) * features);
    let data: unknown;
    try {
      const result = await session.run({ [input]: new Tensor('float32', batch, [size, features]) }, [probabilities]);
      data = result[probabilities]?.data;
    } catch (error) {
      return refused('onnx-scores-rows', messageOf(error), 'look for operators that do not fit together in the model');
    }
    if (!(data instanceof Float32Array) || data.length !== size * classes) {
      return refused(
        'onnx-scores-rows',
        `output ${probabilities} is no [${String(size)}, ${String(classes)}] of 32-bit floats`,
        'export probabilities as a tensor',
      );
    }
    for (let row = 0; row < size; row += 1) predictions[first + row] = data[(row + 1) * classes - 1] ?? Number.NaN;
  }
  return asProbabilities(predictions);
}

function asProbabilities(scores: Float64Array): Scores {
  const predictions = new Float64Array(scores.length);
  let [wrong, count] = [-1, 0];
  for (let row = 0; row < scores.length; row += 1) {
    const probability = probabilityOf(scores[row] ?? Number.NaN);
    predictions[row] = probability;
    if (!Number.isNaN(probability)) continue;
    if (count === 0) wrong = row;
    count += 1;
  }
  if (count === 0) return { kind: 'scored', predictions };
  const found = `${String(count)} of ${String(predictions.length)} predictions are no probability, the first is ${String(scores[wrong])} in row ${String(wrong)}`;
  return refused(
    'predictions-are-probabilities',
    found,
    'look for features that the model cannot take, such as missing values',
  );
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 500) ?? '';
}

function refused(...why: Refusing): Refused {
  return { kind: 'refused', refusal: refusal(...why) };
}
