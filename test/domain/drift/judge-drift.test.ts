import { describe, expect, it } from 'vitest';
import { conceptDays, type DriftEvidence, judgeableFrom, judgeDrift } from '#domain/drift/judge-drift.ts';
import { RULE, comparisonRule } from '#test/domain/policy/_rule.ts';
import { DIFFERENT, DRIFT, HEALTHY, lost, moved } from './_evidence.ts';

const judge = (changes: Partial<DriftEvidence> = {}, rule = DRIFT) =>
  judgeDrift({ ...HEALTHY, ...changes }, rule, comparisonRule());
const inputs = (measure: DriftEvidence['stability']['measure']): Partial<DriftEvidence> => ({
  stability: { measure, reason: 'nothing was measured' },
});
const concept = (changes: Partial<DriftEvidence['concept']>): Partial<DriftEvidence> => ({
  concept: { ...HEALTHY.concept, ...changes },
});
const watched = (holdout: number | null, ...means: number[]): Partial<DriftEvidence> => ({
  disagreement: { holdout, days: means.map((mean, index) => ({ day: `2001-02-0${index + 1}`, mean })) },
});

describe('a check', () => {
  it('is stable where each part is, whatever the inputs do that nobody calls stable', () => {
    const found = judge();
    expect(found).toMatchObject({
      status: 'stable',
      inputs: { status: 'stable', worst: { input: 'y', index: 0.02 } },
      concept: { status: 'stable' },
      disagreement: { status: 'stable', ratio: 1 },
      parity: { status: 'same' },
    });
    expect(found.inputs.measured.map(({ input }) => input)).toEqual(['x', 'y', 'rate']);
  });

  const cases: [string, Partial<DriftEvidence>, string, string, string][] = [
    ['a stable input beyond the limit', inputs(moved({ x: 0.101, y: 0 })), 'drifted', 'inputs', 'drifted'],
    ['a stable input at the limit', inputs(moved({ x: 0.1, y: 0 })), 'stable', 'inputs', 'stable'],
    ['no measure', inputs(null), 'insufficient', 'inputs', 'insufficient'],
    ['a stable input that is not there', inputs(moved({ x: 0 })), 'insufficient', 'inputs', 'insufficient'],
    ['an index that is no number', inputs(moved({ x: Number.NaN, y: 0 })), 'insufficient', 'inputs', 'insufficient'],
    [
      'too few rows, however far they moved',
      inputs(moved({ x: 3, y: 0 }, { reference: 14_000, current: 399 })),
      'insufficient',
      'inputs',
      'insufficient',
    ],
    [
      'too few rows that it was made from',
      inputs(moved({ x: 0, y: 0 }, { reference: 399, current: 500 })),
      'insufficient',
      'inputs',
      'insufficient',
    ],
    ['a loss above that of its promotion', concept({ live: lost(0.33, 7) }), 'drifted', 'concept', 'drifted'],
    ['a loss below it', concept({ live: lost(0.27, 7) }), 'stable', 'concept', 'stable'],
    ['no promotion with a loss', concept({ promotion: null }), 'insufficient', 'concept', 'insufficient'],
    ['no promotion', concept({ judgeableFrom: null }), 'insufficient', 'concept', 'insufficient'],
    [
      'labels that lack though there was time',
      concept({ live: lost(0.3, 6) }),
      'insufficient',
      'concept',
      'insufficient',
    ],
    ['no labels though there was time', concept({ live: null }), 'insufficient', 'concept', 'insufficient'],
    [
      'labels that had no time to arrive',
      concept({ live: null, judgeableFrom: '2001-02-03' }),
      'stable',
      'concept',
      'pending',
    ],
    ['a day too far from the shadow', watched(0.2, 0.2, 0.27), 'skewed', 'disagreement', 'skewed'],
    ['a former day too far', watched(0.2, 0.4, 0.2), 'stable', 'disagreement', 'stable'],
    ['no holdout to compare it with', watched(null, 0.2), 'insufficient', 'disagreement', 'insufficient'],
    ['a holdout of no distance', watched(0, 0.2), 'insufficient', 'disagreement', 'insufficient'],
    ['nobody who watches', { disagreement: null }, 'stable', 'disagreement', 'none'],
    ['no day served', watched(0.2), 'stable', 'disagreement', 'none'],
    ['features that came out otherwise', { parity: DIFFERENT }, 'skewed', 'parity', 'differs'],
    [
      'features that could not be made',
      { parity: { days: ['2001-02-01'], differences: [], reasons: ['gone'] } },
      'insufficient',
      'parity',
      'insufficient',
    ],
    [
      'no features to make',
      { parity: { days: [], differences: [], reasons: [] } },
      'insufficient',
      'parity',
      'insufficient',
    ],
  ];
  it.each(cases)('with %s', (_, changes, status, part, said) => {
    expect(judge(changes)).toMatchObject({ status, [part]: { status: said, reason: expect.stringMatching(/./) } });
  });

  it('is insufficient where the policy names no stable input, and says what to do', () => {
    const found = judge({}, { ...DRIFT, stable: [] });
    expect(found).toMatchObject({ status: 'insufficient', inputs: { status: 'insufficient', worst: null } });
    expect(found.inputs.reason).toContain('drift.stable');
  });

  it('says first what has drifted, then what is skewed, then what is not known', () => {
    const all = { ...inputs(moved({ x: 1, y: 0 })), parity: DIFFERENT, ...concept({ live: null }) };
    expect(judge(all).status).toBe('drifted');
    expect(judge({ ...all, ...inputs(null) }).status).toBe('skewed');
    expect(judge({ ...concept({ live: null }) }).status).toBe('insufficient');
  });

  it('counts blocks of days where labels of neighbours depend on each other', () => {
    expect([conceptDays({}), conceptDays({ horizonDays: 30 })]).toEqual([7, 210]);
    expect(judgeableFrom('2001-01-01', { matureAfterDays: 4 })).toBe('2001-01-12');
    expect(judgeableFrom('2001-01-01', { matureAfterDays: 30, horizonDays: 30 })).toBe('2001-08-29');
    const live = { ...lost(0.3, 6), blockDays: 30 };
    expect(judge(concept({ live })).concept.reason).toBe('6 blocks of 30 days have all their labels; needed: 7');
  });

  it('takes no swing of the base rate for a loss', () => {
    const often = lost(0.3, 7);
    // Twice as many positives: a constant would lose 0.673 nats a row instead of 0.500, and so does the model in proportion.
    const clusters = often.clusters.map((each) => ({
      ...each,
      positives: 400,
      candidate: { ...each.candidate, logLoss: (each.candidate.logLoss * 0.673) / 0.5 },
    }));
    const found = judge(concept({ live: { ...often, clusters } })).concept;
    expect(found.status).toBe('stable');
    expect(found.reason).toMatch(/^log loss 60\.\d % \(.*\) of a constant's on 7 days; when it was promoted 60\.\d %/);
    // The same loss without the positives is a loss.
    const seldom = { ...often, clusters: clusters.map((each) => ({ ...each, positives: 200 })) };
    expect(judge(concept({ live: seldom })).concept.status).toBe('drifted');
  });

  it('takes a loss for worse by the confidence of the comparison', () => {
    const live = lost(0.306, 7);
    const at = (confidence: number) =>
      judgeDrift({ ...HEALTHY, concept: { ...HEALTHY.concept, live } }, DRIFT, comparisonRule({ confidence })).concept;
    expect(at(0.9).status).toBe('drifted');
    expect(at(0.999).status).toBe('stable');
    expect(RULE.confidence).toBe(0.95);
  });
});
