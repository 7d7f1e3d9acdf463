import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { ModelName } from '../model/definition.ts';
import { ShadowPairs } from './shadow.ts';

/** What candidate and champion answered to the same stored requests, as an object by digest: batches in order of time. */
export const ShadowReplay = document(
  'shadow pairs',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    candidate: Digest,
    champion: Digest,
    from: z.iso.datetime(),
    until: z.iso.datetime(),
    batches: z.array(ShadowPairs),
  }),
);

/** What a release answered to a stored request; null where it failed it. */
export type ShadowAnswer = {
  /** Of the request's first event. */
  readonly probability: number;
  readonly milliseconds: number;
} | null;

/** The answers of both releases to the same request. */
export interface AnsweredPair {
  readonly candidate: ShadowAnswer;
  readonly champion: ShadowAnswer;
}

/** Pairs that are judged together: as few as show a release that fails everything soon. */
const BATCH = 100;

/**
 * Counts where two releases differ, in batches of the order in which the pairs are given. What both fail is left out: as a pair it would count as
 * one that the candidate does not fail, and a champion that fails everything would let any candidate finish.
 */
export function shadowBatches(
  pairs: readonly AnsweredPair[],
  rule: {
    /** Null where no answer is slow. */
    readonly objectiveMs: number | null;
    /** The probability from which on people act; null where a model says none, and nothing is decided. */
    readonly threshold: number | null;
  },
): readonly ShadowPairs[] {
  const answered = pairs.filter(({ candidate, champion }) => candidate !== null || champion !== null);
  return Array.from({ length: Math.ceil(answered.length / BATCH) }, (_, index) =>
    counted(answered.slice(index * BATCH, (index + 1) * BATCH), rule),
  );
}

function counted(
  pairs: readonly AnsweredPair[],
  { objectiveMs, threshold }: Parameters<typeof shadowBatches>[1],
): ShadowPairs {
  const counts = {
    candidateErrors: 0,
    championErrors: 0,
    candidateActs: 0,
    championActs: 0,
    candidateSlow: 0,
    championSlow: 0,
  };
  for (const { candidate, champion } of pairs) {
    if (candidate === null || champion === null) {
      if (champion !== null) counts.candidateErrors += 1;
      if (candidate !== null) counts.championErrors += 1;
      continue;
    }
    const acts = (answer: NonNullable<ShadowAnswer>): boolean => threshold !== null && answer.probability >= threshold;
    const isSlow = (answer: NonNullable<ShadowAnswer>): boolean =>
      objectiveMs !== null && answer.milliseconds > objectiveMs;
    if (acts(candidate) !== acts(champion)) counts[acts(candidate) ? 'candidateActs' : 'championActs'] += 1;
    if (isSlow(candidate) !== isSlow(champion)) counts[isSlow(candidate) ? 'candidateSlow' : 'championSlow'] += 1;
  }
  return { pairs: pairs.length, ...counts };
}
