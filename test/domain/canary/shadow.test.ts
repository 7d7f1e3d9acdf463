import { describe, expect, it } from 'vitest';
import { judgeShadow } from '#domain/canary/shadow.ts';

const RULE = { toleratedErrorRate: 0.01, shadow: { minimumPairs: 1000, decisions: false } };

/** So many alike batches of a hundred pairs. */
function batches(
  count: number,
  differing: { candidateErrors?: number; championErrors?: number; candidateActs?: number; championActs?: number } = {},
) {
  return Array.from({ length: count }, () => ({
    pairs: 100,
    candidateErrors: 0,
    championErrors: 0,
    candidateActs: 0,
    championActs: 0,
    ...differing,
  }));
}

describe('a shadow', () => {
  it('finishes with enough pairs of which none differ', () => {
    expect(judgeShadow(RULE, batches(9), false)).toMatchObject({ verdict: 'continue', pairs: 900 });
    expect(judgeShadow(RULE, batches(10), false)).toMatchObject({ verdict: 'finish', pairs: 1000 });
  });

  it('aborts by errors that the champion does not have, and not by those of both', () => {
    expect(judgeShadow(RULE, batches(20, { candidateErrors: 1 }), true)).toMatchObject({
      verdict: 'abort',
      pairs: 1000,
    });
    expect(judgeShadow(RULE, batches(20, { candidateErrors: 1, championErrors: 1 }), true).verdict).toBe(
      'inconclusive',
    );
    expect(judgeShadow(RULE, batches(20, { championErrors: 1 }), true).verdict).toBe('finish');
  });

  it('aborts by other decisions only where the policy says so', () => {
    const other = batches(20, { candidateActs: 4, championActs: 1 });
    expect(judgeShadow(RULE, other, true)).toMatchObject({ verdict: 'finish', eValues: { decisions: null } });
    const rule = { ...RULE, shadow: { minimumPairs: 1000, decisions: true } };
    expect(judgeShadow(rule, other, true)).toMatchObject({
      verdict: 'abort',
      found: expect.stringMatching(/^it decides otherwise/),
    });
    expect(judgeShadow(rule, batches(20, { candidateActs: 1, championActs: 4 }), true).verdict).toBe('abort');
    expect(judgeShadow(rule, batches(20, { candidateActs: 4, championActs: 4 }), true).verdict).toBe('finish');
  });

  it('is inconclusive without pairs, and by what is no count', () => {
    expect(judgeShadow(RULE, [], true)).toMatchObject({ verdict: 'inconclusive', pairs: 0 });
    expect(judgeShadow(RULE, batches(20, { candidateErrors: Number.NaN }), true)).toMatchObject({
      verdict: 'inconclusive',
      pairs: 0,
    });
    expect(judgeShadow(RULE, batches(20, { candidateErrors: 101 }), true)).toMatchObject({ pairs: 0 });
  });
});
