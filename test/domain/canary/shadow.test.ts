import { describe, expect, it } from 'vitest';
import { judgeShadow, type ShadowPairs } from '#domain/canary/shadow.ts';

const RULE = { toleratedErrorRate: 0.01, shadow: { minimumPairs: 1000, decisions: false } };

const COMPLETE = { isComplete: true, hasLatencyObjective: false };
const GOES_ON = { ...COMPLETE, isComplete: false };

/** So many alike batches of a hundred pairs. */
function batches(count: number, differing: Partial<ShadowPairs> = {}): readonly ShadowPairs[] {
  return Array.from({ length: count }, () => ({
    pairs: 100,
    candidateErrors: 0,
    championErrors: 0,
    candidateActs: 0,
    championActs: 0,
    candidateSlow: 0,
    championSlow: 0,
    ...differing,
  }));
}

describe('a shadow', () => {
  it('finishes with enough pairs of which none differ', () => {
    expect(judgeShadow(RULE, batches(9), GOES_ON)).toMatchObject({ verdict: 'continue', pairs: 900 });
    expect(judgeShadow(RULE, batches(10), GOES_ON)).toMatchObject({ verdict: 'finish', pairs: 1000 });
  });

  it('aborts by errors that the champion does not have, and not by those of both', () => {
    expect(judgeShadow(RULE, batches(20, { candidateErrors: 1 }), COMPLETE)).toMatchObject({
      verdict: 'abort',
      pairs: 1000,
    });
    expect(judgeShadow(RULE, batches(20, { candidateErrors: 1, championErrors: 1 }), COMPLETE).verdict).toBe(
      'inconclusive',
    );
    expect(judgeShadow(RULE, batches(20, { championErrors: 1 }), COMPLETE).verdict).toBe('finish');
  });

  it('aborts by other decisions only where the policy says so', () => {
    const other = batches(20, { candidateActs: 4, championActs: 1 });
    expect(judgeShadow(RULE, other, COMPLETE)).toMatchObject({ verdict: 'finish', eValues: { decisions: null } });
    const rule = { ...RULE, shadow: { minimumPairs: 1000, decisions: true } };
    expect(judgeShadow(rule, other, COMPLETE)).toMatchObject({
      verdict: 'abort',
      found: expect.stringMatching(/^it decides otherwise/),
    });
    expect(judgeShadow(rule, batches(20, { candidateActs: 1, championActs: 4 }), COMPLETE).verdict).toBe('abort');
    expect(judgeShadow(rule, batches(20, { candidateActs: 4, championActs: 4 }), COMPLETE).verdict).toBe('finish');
  });

  it('aborts by answers that are slow of the candidate only, where there is a latency objective', () => {
    const slow = batches(20, { candidateSlow: 4, championSlow: 1 });
    expect(judgeShadow(RULE, slow, COMPLETE)).toMatchObject({ verdict: 'finish', eValues: { latency: null } });
    const objective = { ...COMPLETE, hasLatencyObjective: true };
    const judged = judgeShadow(RULE, slow, objective);
    expect(judged).toMatchObject({
      verdict: 'abort',
      found: expect.stringMatching(
        /^more answers above the latency objective, only the candidate's in \d+ pairs, only the champion's in \d+: /,
      ),
    });
    // The mean of two e-values, of which the one of errors stays 1.
    expect(judged.eValues.latency).toBeGreaterThanOrEqual(199);
    expect(judgeShadow(RULE, batches(20, { candidateSlow: 4, championSlow: 4 }), objective).verdict).toBe('finish');
    expect(judgeShadow(RULE, batches(20, { candidateSlow: 1, championSlow: 4 }), objective).verdict).toBe('finish');
  });

  it('is inconclusive without pairs, and by what is no count', () => {
    expect(judgeShadow(RULE, [], COMPLETE)).toMatchObject({ verdict: 'inconclusive', pairs: 0 });
    expect(judgeShadow(RULE, batches(20, { candidateErrors: Number.NaN }), COMPLETE)).toMatchObject({
      verdict: 'inconclusive',
      pairs: 0,
    });
    for (const contradicting of [
      { candidateErrors: 101 },
      { candidateErrors: 50, candidateActs: 51 },
      { championErrors: 1, candidateSlow: 50, championSlow: 50 },
    ])
      expect(judgeShadow(RULE, batches(20, contradicting), COMPLETE)).toMatchObject({ pairs: 0 });
  });
});
