import { z } from 'zod';
import type { CanaryRule } from '../policy/canary.ts';
import { LOG_REJECTS_AT, logMean, logNotBadAtAll, pairedProcess, REJECTS_AT, toleratedProcess } from './e-process.ts';

/** What candidate and champion answered to the same stored events, some of them at a time. */
export const ShadowPairs = z
  .strictObject({
    /** Events that both were given. */
    pairs: z.int().min(0),
    /** Events that only the one failed. */
    candidateErrors: z.int().min(0),
    championErrors: z.int().min(0),
    /** Events for which only the one decided to act. */
    candidateActs: z.int().min(0),
    championActs: z.int().min(0),
  })
  .superRefine(({ pairs, candidateErrors, championErrors, candidateActs, championActs }, context) => {
    if (candidateErrors + championErrors + candidateActs + championActs > pairs)
      context.addIssue({ code: 'custom', path: ['pairs'], message: 'at least as many as pairs that differ' });
  });
export type ShadowPairs = z.infer<typeof ShadowPairs>;

/** What the pairs say: only `finish` lets a canary begin. */
export interface ShadowJudgement {
  readonly verdict: 'abort' | 'finish' | 'continue' | 'inconclusive';
  readonly found: string;
  readonly pairs: number;
  readonly eValues: {
    readonly errors: number;
    readonly decisions: number | null;
    readonly notBad: number;
    readonly limit: number;
  };
}

/**
 * Judges a shadow by its pairs, in the order in which they were answered. What both fail says nothing. It finishes with enough pairs, where the
 * rate of what only the candidate fails is proven to be below the tolerated one; batches that are no counts are left out.
 * @param isComplete whether there are no more stored events: then what is not decided is inconclusive
 */
export function judgeShadow(
  rule: Pick<CanaryRule, 'toleratedErrorRate'> & { readonly shadow: NonNullable<CanaryRule['shadow']> },
  batches: readonly unknown[],
  isComplete: boolean,
): ShadowJudgement {
  const [errors, decisions] = [pairedProcess(), pairedProcess()];
  const tolerated = toleratedProcess(rule.toleratedErrorRate);
  const counted = { pairs: 0, candidateErrors: 0, championErrors: 0, candidateActs: 0, championActs: 0 };
  const logNotBad = (): number => logNotBadAtAll(tolerated, []);
  const judged = (verdict: ShadowJudgement['verdict'], found: string): ShadowJudgement => ({
    verdict,
    found: `${found}${counted.candidateErrors} errors of the candidate only and ${counted.championErrors} of the champion only in ${counted.pairs} pairs`,
    pairs: counted.pairs,
    eValues: {
      errors: valueOf(errors.logMore()),
      decisions: rule.shadow.decisions ? valueOf(decisions.logDifferent()) : null,
      notBad: valueOf(logNotBad()),
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
    const [more, different] = [errors.logMore(), decisions.logDifferent()];
    if (logMean(rule.shadow.decisions ? [more, different] : [more]) >= LOG_REJECTS_AT)
      return judged(
        'abort',
        rule.shadow.decisions && different > more ? 'it decides otherwise: ' : 'more errors than the champion: ',
      );
    if (counted.pairs >= rule.shadow.minimumPairs && logNotBad() >= LOG_REJECTS_AT) return judged('finish', '');
  }
  return judged(isComplete ? 'inconclusive' : 'continue', isComplete ? 'nothing is proven: ' : '');
}

function valueOf(log: number): number {
  return Math.min(Number.MAX_VALUE, Math.exp(log));
}
