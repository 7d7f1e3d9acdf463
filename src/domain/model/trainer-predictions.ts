import { z } from 'zod';
import type { Refusal } from '../refusal/refusal.ts';
import { probabilityOf } from '../statistics/probability.ts';

/**
 * Where a training program may leave what its own library predicts for some of its rows, beside `model.onnx`: a Parquet file
 * with the rows' id and day under their own names, and `probability`.
 */
export const TRAINER_PREDICTIONS = 'predictions.parquet';

/** The most rows that are compared: each day that they are of is read again. */
export const MOST_COMPARED = 1000;

/**
 * How far the ONNX file may be from the library that trained it. ONNX adds in 32 bits what scikit-learn adds in 64: 1,000
 * trees whose leaves add up to a logit of 10 leave 1,000 × 10 × 2^-24 = 6e-4 at worst and its root, 2e-5, as a rule, of which
 * the logistic function leaves a quarter. The reference model, of 80 trees, measures 1.2e-7. Columns in another order, or
 * another treatment of missing values, are told from that by orders of magnitude.
 */
export const TRAINER_TOLERANCE = 1e-4;

/** A row whose prediction a trainer left, and what the ONNX file says of it; undefined where no such row was trained on. */
export interface ComparedRow {
  readonly id: string;
  readonly day: string;
  readonly trainer: number | null;
  readonly onnx: number | undefined;
}

/** How near the ONNX file is to the library that trained it. */
export const TrainerAgreement = z.strictObject({ rows: z.int().positive(), greatestDifference: z.number().min(0) });
export type TrainerAgreement = z.infer<typeof TrainerAgreement>;

/** What to do about a file of predictions that cannot be compared. */
export const WRITE_OWN_ROWS = `let the training program write ${TRAINER_PREDICTIONS} from its own rows, or leave it out`;

/** Whether an ONNX file is the model that was trained, by what the trainer itself predicted. */
export function judgeTrainerPredictions(
  rows: readonly ComparedRow[],
):
  | { readonly kind: 'agrees'; readonly agreement: TrainerAgreement }
  | { readonly kind: 'refused'; readonly refusal: Refusal } {
  const refused = (found: string, remedy: string) =>
    ({ kind: 'refused', refusal: { rule: 'onnx-matches-trainer', found, remedy } }) as const;
  if (rows.length === 0 || rows.length > MOST_COMPARED)
    return refused(`${TRAINER_PREDICTIONS} has ${rows.length} rows, 1 to ${MOST_COMPARED} are allowed`, WRITE_OWN_ROWS);
  const wrong = rows.find(({ trainer }) => trainer === null || Number.isNaN(probabilityOf(trainer)));
  if (wrong !== undefined)
    return refused(`${TRAINER_PREDICTIONS}: probability of ${wrong.id} is ${String(wrong.trainer)}`, WRITE_OWN_ROWS);
  const unknown = rows.filter(({ onnx }) => onnx === undefined);
  if (unknown[0] !== undefined)
    return refused(
      `${TRAINER_PREDICTIONS}: ${unknown.length} of ${rows.length} rows were not trained on, such as id ${unknown[0].id} of day ${unknown[0].day}`,
      WRITE_OWN_ROWS,
    );
  const distance = ({ trainer, onnx }: ComparedRow): number => {
    const between = Math.abs((trainer ?? Number.NaN) - (onnx ?? Number.NaN));
    return Number.isNaN(between) ? Number.POSITIVE_INFINITY : between;
  };
  const farthest = rows.reduce((far, row) => (distance(row) > distance(far) ? row : far));
  const greatestDifference = distance(farthest);
  if (greatestDifference <= TRAINER_TOLERANCE)
    return { kind: 'agrees', agreement: { rows: rows.length, greatestDifference } };
  return refused(
    `${rows.length} rows compared, the greatest difference is ${greatestDifference.toPrecision(3)} for id ${farthest.id} of ${farthest.day} (trainer ${farthest.trainer}, ONNX ${farthest.onnx}); ${TRAINER_TOLERANCE} is allowed`,
    'export the model that was fitted, with its columns in the order of the rows and missing values as it learnt them',
  );
}

/** In words, whether an ONNX file was compared with its trainer's own predictions. */
export function agreementInWords(agreement: TrainerAgreement | null | undefined): string {
  return agreement
    ? `${agreement.rows} of the trainer's own predictions are reproduced, the greatest difference is ${agreement.greatestDifference.toPrecision(2)}`
    : `not compared with the trainer: it left no ${TRAINER_PREDICTIONS}`;
}
