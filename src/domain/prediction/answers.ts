import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { AdmittedPartition } from '../data/partition.ts';
import { Day, ModelName } from '../model/definition.ts';
import type { ProbationRule } from '../policy/policy.ts';
import { percent } from '../text.ts';

/** Answers of an endpoint that are measured by the labels that have arrived, and by the batch of their day. */
export const AnswersPlan = document(
  'plan of measured answers',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    definition: Digest,
    /** Days of events, with their published predictions where there are any. */
    days: z.array(
      z.strictObject({ day: Day, predictions: z.strictObject({ release: Digest, digest: Digest }).nullable() }),
    ),
    labels: z.array(AdmittedPartition.pick({ day: true, objects: true })),
  }),
);
export type AnswersPlan = z.infer<typeof AnswersPlan>;

/** What an arm has answered for a day of events, each event by its first answer. */
export const AnsweredDay = z.strictObject({
  day: Day,
  arm: z.string(),
  release: Digest,
  answers: z.int().nonnegative(),
  /** Those whose event has a label. */
  labelled: z.int().nonnegative(),
  /** Their mean log loss; null where none has a label. */
  loss: z.number().nullable(),
  /** Answers whose event has both a label and a prediction of the same release in the batch. */
  paired: z.int().nonnegative(),
  /** Mean log losses of these: of the answers, and of the batch. */
  pairedLoss: z.strictObject({ answers: z.number(), batch: z.number() }).nullable(),
  /** Answers that are another probability than the batch of the same release has. */
  different: z.int().nonnegative(),
});
export type AnsweredDay = z.infer<typeof AnsweredDay>;

/**
 * Why a release is not confirmed by what it published alone: what it answered on request loses more than its published predictions
 * of the same events, by more than the fast rule tolerates, on as many labels as that rule needs. Undefined where it does not.
 */
export function whyAnswersWorse(
  days: readonly AnsweredDay[],
  release: Digest,
  { fast }: Pick<ProbationRule, 'fast'>,
): string | undefined {
  let [labels, answers, batch] = [0, 0, 0];
  for (const { paired, pairedLoss, release: own } of days) {
    if (own !== release || pairedLoss === null) continue;
    labels += paired;
    answers += paired * pairedLoss.answers;
    batch += paired * pairedLoss.batch;
  }
  if (labels < fast.minimumLabels || !(answers > batch * (1 + fast.loss))) return undefined;
  return `answers on request lose ${percent(answers / batch - 1)} more than published predictions of the same ${labels} events; allowed: ${percent(fast.loss)}`;
}
