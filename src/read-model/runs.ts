import { z } from 'zod';
import type { Item } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { AnsweredDay } from '#domain/prediction/answers.ts';
import { Refusal } from '#domain/refusal/refusal.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find, list, newestFirst } from './items.ts';

/** What a review of the served release found. */
const Review = z.looseObject({
  rule: z.string(),
  reason: z.string(),
  change: z.string(),
  maturity: z.object({ served: z.number(), matured: z.number(), share: z.number() }),
});
export type Review = z.infer<typeof Review>;

/** A run of a state machine, as its ledger knows it; some fields exist only when it ended. */
export const Run = z.looseObject({
  run: z.string(),
  machine: z.string(),
  status: z.string(),
  trigger: z.string().optional(),
  asOf: z.string().optional(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  published: z.number().optional(),
  rows: z.number().optional(),
  carried: z.number().optional(),
  /** Days that were due and could not be built or scored, the first of them with their causes. */
  blockedDays: z.number().optional(),
  blocked: z.array(Refusal.extend({ day: z.string() })).optional(),
  epoch: z.number().optional(),
  review: Review.optional(),
  /** What was answered on request, by the labels that have arrived. */
  answers: z.object({ days: z.array(AnsweredDay), reason: z.string() }).optional(),
  /** What a check of drift found, as `status --drift` reads it. */
  drift: z.unknown().optional(),
});
export type Run = z.infer<typeof Run>;

/** A review of a release on probation, as far as it says how far the release is from its shadow. */
const Comparison = z.looseObject({
  machine: z.literal('probation'),
  epoch: z.int(),
  asOf: z.string(),
  review: z.looseObject({
    disagreement: z.object({
      holdout: z.number().nullable(),
      days: z.array(z.object({ day: z.string(), mean: z.number() })),
    }),
  }),
});
type Disagreement = z.infer<typeof Comparison>['review']['disagreement'];

/** A run of a model, where it was recorded. */
export async function findRun(ledger: ReadableLedger, model: string, run: string): Promise<Run | undefined> {
  return find(ledger, keys.run(model, run), Run);
}

/** The item of a run, whole: whoever ends the run writes it back. */
export async function findRunItem(ledger: ReadableLedger, model: string, run: string): Promise<Item | undefined> {
  return ledger.get(keys.run(model, run));
}

/** The runs of a model, newest first. */
export async function readRuns(ledger: ReadableLedger, model: string): Promise<readonly Run[]> {
  return newestFirst(await list(ledger, keys.runs(model), Run), ({ startedAt, endedAt }) => startedAt ?? endedAt ?? '');
}

/** What the newest review of an epoch says of how far the release is from its shadow; null where there is none. */
export async function newestDisagreement(
  ledger: ReadableLedger,
  model: string,
  epoch: number,
): Promise<Disagreement | null> {
  const reviews = (await ledger.query(keys.runs(model))).flatMap((item) => {
    const parsed = Comparison.safeParse(item);
    return parsed.success && parsed.data.epoch === epoch ? [parsed.data] : [];
  });
  return newestFirst(reviews, ({ asOf }) => asOf)[0]?.review.disagreement ?? null;
}
