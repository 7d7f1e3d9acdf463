import { z } from 'zod';
import type { CanaryRule } from '../policy/canary.ts';
import {
  eValueOf,
  LOG_REJECTS_AT,
  logMean,
  logNotBadAtAll,
  pairedProcess,
  REJECTS_AT,
  toleratedProcess,
} from './e-process.ts';

/** What candidate and champion answered to the same stored events, some of them at a time. */
export const ShadowPairs = z
  .strictObject({
    /** Events that both were given, and at least one of them answered. */
    pairs: z.int().min(0),
    /** Events that only the one failed. */
    candidateErrors: z.int().min(0),
    championErrors: z.int().min(0),
    /** Events for which only the one decided to act. */
    candidateActs: z.int().min(0),
    championActs: z.int().min(0),
    /** Events that both answered, and only the one above the latency objective; 0 where there is none. */
    candidateSlow: z.int().min(0),
    championSlow: z.int().min(0),
  })
  .superRefine(({ pairs, candidateErrors, championErrors, ...both }, context) => {
    const answered = pairs - candidateErrors - championErrors;
    // What one failed, it neither decided nor answered in a time.
    if (both.candidateActs + both.championActs > answered || both.candidateSlow + both.championSlow > answered)
      context.addIssue({ code: 'custom', path: ['pairs'], message: 'at least as many as pairs that differ' });
  });
export type ShadowPairs = z.infer<typeof ShadowPairs>;

/** What the pairs say: only `finish` lets a canary begin. */
export interface ShadowJudgement {
  readonly verdict: 'abort' | 'finish' | 'continue' | 'inconclusive';
  readonly found: string;
  readonly pairs: number;
  /** The pairs by which it was judged, and where they differ. */
  readonly counts: ShadowPairs;
  readonly eValues: {
    readonly errors: number;
    readonly decisions: number | null;
    /** Null where there is no latency objective. */
    readonly latency: number | null;
    readonly notBad: number;
    readonly limit: number;
  };
}

/**
 * Judges a shadow by its pairs, in the order in which they were answered. What both fail says nothing. It aborts by the mean of the e-values of
 * what is compared, which is one whatever their dependence, and finishes with enough pairs, where the rate of what only the candidate fails is
 * proven to be below the tolerated one; batches that are no counts are left out.
 */
export function judgeShadow(
  rule: Pick<CanaryRule, 'toleratedErrorRate'> & { readonly shadow: NonNullable<CanaryRule['shadow']> },
  batches: readonly unknown[],
  state: {
    /** Whether there are no more stored events: then what is not decided is inconclusive. */
    readonly isComplete: boolean;
    /** Without one answers are not compared by how long they took. */
    readonly hasLatencyObjective: boolean;
  },
): ShadowJudgement {
  const [errors, decisions, latency] = [pairedProcess(), pairedProcess(), pairedProcess()];
  const tolerated = toleratedProcess(rule.toleratedErrorRate);
  const counted: ShadowPairs = {
    pairs: 0,
    candidateErrors: 0,
    championErrors: 0,
    candidateActs: 0,
    championActs: 0,
    candidateSlow: 0,
    championSlow: 0,
  };
  const compared = (): readonly { readonly log: number; readonly found: string }[] => [
    { log: errors.logMore(), found: 'more errors than the champion: ' },
    ...(rule.shadow.decisions ? [{ log: decisions.logDifferent(), found: 'it decides otherwise: ' }] : []),
    ...(state.hasLatencyObjective
      ? [{ log: latency.logMore(), found: `more answers above the latency objective, ${slower()}: ` }]
      : []),
  ];
  const slower = (): string =>
    `only the candidate's in ${counted.candidateSlow} pairs, only the champion's in ${counted.championSlow}`;
  const logNotBad = (): number => logNotBadAtAll(tolerated, []);
  const judged = (verdict: ShadowJudgement['verdict'], found: string): ShadowJudgement => ({
    verdict,
    found: `${found}${counted.candidateErrors} errors of the candidate only and ${counted.championErrors} of the champion only in ${counted.pairs} pairs`,
    pairs: counted.pairs,
    counts: { ...counted },
    eValues: {
      errors: eValueOf(errors.logMore()),
      decisions: rule.shadow.decisions ? eValueOf(decisions.logDifferent()) : null,
      latency: state.hasLatencyObjective ? eValueOf(latency.logMore()) : null,
      notBad: eValueOf(logNotBad()),
      limit: REJECTS_AT,
    },
  });
  for (const batch of batches) {
    const { data } = ShadowPairs.safeParse(batch);
    if (data === undefined) continue;
    for (const name of Object.keys(counted) as (keyof ShadowPairs)[]) counted[name] += data[name];
    errors.add(data.candidateErrors, data.championErrors);
    decisions.add(data.candidateActs, data.championActs);
    tolerated.add(data.pairs, data.candidateErrors);
    latency.add(data.candidateSlow, data.championSlow);
    const evidence = compared();
    if (logMean(evidence.map(({ log }) => log)) >= LOG_REJECTS_AT)
      return judged('abort', evidence.reduce((most, each) => (each.log > most.log ? each : most)).found);
    if (counted.pairs >= rule.shadow.minimumPairs && logNotBad() >= LOG_REJECTS_AT) return judged('finish', '');
  }
  return judged(state.isComplete ? 'inconclusive' : 'continue', state.isComplete ? 'nothing is proven: ' : '');
}
