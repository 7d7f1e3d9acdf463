import { describe, expect, it } from 'vitest';
import { Costs, costThreshold, DriftRule, type PolicyFloor, ProbationRule } from '#domain/policy/policy.ts';
import { OPERATIONS_DEFAULT } from '#domain/policy/operations.ts';
import { tighten } from '#domain/policy/tighten.ts';
import { PolicyTightening } from '#domain/policy/tightening.ts';
import { SERVING } from '#test/domain/alarm/_serving.ts';
import { DRIFT } from '#test/domain/drift/_evidence.ts';
import { probationRule } from './_rule.ts';
import { transition, numbers, floor } from './_floor.ts';

const tightened: [string, PolicyTightening][] = [
  [
    'every number',
    {
      comparison: {
        minimumImprovement: 0.01,
        confidence: 0.99,
        minimumDays: 14,
        minimumRows: 9000,
        minimumSkill: 0.1,
      },
    },
  ],
  ['another gate', { transitions: { prod: { gates: [...transition.gates, 'metric-baseline'] } } }],
  ['more people', { transitions: { prod: { approvals: [...transition.approvals, { role: 'risk', count: 1 }] } } }],
  ['a question before it opens', { transitions: { staging: { opensOnOffer: false } } }],
  ['less time', { transitions: { prod: { evidenceValidHours: 1, approvalHours: 1 } } }],
  ['the same again', { comparison: numbers, transitions: { prod: transition } }],
];

describe('a model’s policy', () => {
  it('is the floor where it says nothing', () => {
    expect(tighten('m', floor, {})).toEqual({ formatVersion: 1, model: 'm', ...floor });
  });

  it('has costs of its own, which are neither tighter nor looser than anything', () => {
    const costs = { falsePositive: 5, falseNegative: 20 };
    expect(tighten('m', floor, { costs })).toEqual({ formatVersion: 1, model: 'm', ...floor, costs });
    expect(costThreshold(costs)).toBe(0.2);
    expect(Costs.safeParse({ ...costs, falsePositive: 0 }).success).toBe(false);
  });

  it.each(tightened)('may have %s', (_, own) => {
    const policy = tighten('m', floor, own);
    expect(policy.comparison).toEqual({ ...floor.comparison, ...own.comparison });
    expect(policy.transitions.prod).toEqual({ ...transition, ...own.transitions?.prod });
    expect(policy.transitions.initial).toEqual(floor.transitions.initial);
  });

  it('does not contradict itself in how it judges what is on probation', () => {
    for (const wrong of [
      probationRule(7, { minimumDays: 8 }),
      probationRule(7, { fast: { ...probationRule(7).fast, provenLoss: 0.03 } }),
    ])
      expect(ProbationRule.safeParse(wrong).success).toBe(false);
    expect(ProbationRule.safeParse(probationRule(7)).success).toBe(true);
  });

  it('may shorten a probation, or give it up', () => {
    const shorter = tighten('m', floor, { transitions: { staging: { probation: { days: 7 } } } });
    expect(shorter.transitions.staging.probation).toEqual({ ...probationRule(14), days: 7 });
    const sooner = tighten('m', floor, { transitions: { staging: { probation: { fast: { loss: 0.015 } } } } });
    expect(sooner.transitions.staging.probation?.fast).toEqual({ ...probationRule(14).fast, loss: 0.015 });
    const none = tighten('m', floor, {
      comparison: { provisional: null },
      transitions: { staging: { probation: null } },
    });
    expect(none.comparison).toEqual(numbers);
    expect(none.transitions.staging).not.toHaveProperty('probation');
  });

  it('may have its endpoint rolled back sooner, and has no say in how much proof that takes', () => {
    const own = { serving: { errors: { rate: 0.01 }, latency: { factor: 1.5 }, health: { failures: 2 } } };
    expect(tighten('m', floor, own).serving).toEqual({
      ...SERVING,
      errors: { ...SERVING.errors, rate: 0.01 },
      latency: { ...SERVING.latency, factor: 1.5 },
      health: { failures: 2 },
    });
    const { serving: _serving, ...without } = floor;
    expect(tighten('m', without, {})).not.toHaveProperty('serving');
    expect(() => tighten('m', without, own)).toThrow('serving: the floor has none');
    expect(PolicyTightening.safeParse({ serving: { errors: { minimumCount: 100 } } }).success).toBe(false);
    expect(PolicyTightening.safeParse({ serving: { hoursBetweenRollbacks: 1 } }).success).toBe(false);
  });

  it('may have people told sooner, and has no say in how often what is stored is hashed', () => {
    const own = { operations: { acknowledgeMinutes: 15, rootCauseHours: 24 } };
    expect(tighten('m', floor, own).operations).toEqual({ ...OPERATIONS_DEFAULT, ...own.operations });
    const { operations: _operations, ...without } = floor;
    expect(tighten('m', without, {})).not.toHaveProperty('operations');
    expect(() => tighten('m', without, own)).toThrow('operations: the floor has none');
    expect(PolicyTightening.safeParse({ operations: { rehashDays: 90 } }).success).toBe(false);
    expect(PolicyTightening.safeParse({ operations: { retentionDays: 1 } }).success).toBe(false);
  });

  it('may have rows nearer to the usual, and judge them sooner', () => {
    const own = { data: { rowCounts: { tolerance: 0.2, minimumWeeks: 2 } } };
    expect(tighten('m', floor, own).data).toEqual({
      rowCounts: { tolerance: 0.2, weeks: 8, minimumWeeks: 2 },
      earlyLabels: 0.01,
      replacedLabels: 0.1,
    });
    const { data: _data, ...without } = floor;
    expect(tighten('m', without, {})).not.toHaveProperty('data');
    expect(() => tighten('m', without, own)).toThrow('data: the floor has none');
  });

  it('may call more inputs stable, and hold them tighter; how few rows are too few is the floor’s', () => {
    const own = { drift: { stable: ['y', 'x'], index: 0.05, disagreement: 1.2, retrainAtMostEveryDays: 14 } };
    expect(tighten('m', floor, own).drift).toEqual({ ...own.drift, minimumRows: 400 });
    const { drift: _drift, ...without } = floor;
    expect(tighten('m', without, {})).not.toHaveProperty('drift');
    expect(() => tighten('m', without, own)).toThrow('drift: the floor has none');
    expect(DriftRule.safeParse({ ...DRIFT, stable: ['x', 'x'] }).success).toBe(false);
  });

  it('has the floor’s hotfix, narrower or not at all, and none that the floor does not know', () => {
    const hotfix = { ...transition, approvals: [...transition.approvals, { role: 'risk' as const, count: 1 }] };
    const withHotfix: PolicyFloor = { ...floor, transitions: { ...floor.transitions, hotfix } };
    expect(tighten('m', withHotfix, {}).transitions.hotfix).toEqual(hotfix);
    expect(
      tighten('m', withHotfix, { transitions: { hotfix: { approvalHours: 2 } } }).transitions.hotfix?.approvalHours,
    ).toBe(2);
    expect(tighten('m', withHotfix, { transitions: { hotfix: null } }).transitions).not.toHaveProperty('hotfix');
    const looser: PolicyTightening = { transitions: { hotfix: { approvals: transition.approvals } } };
    expect(() => tighten('m', withHotfix, looser)).toThrow("0 of risk is fewer than the floor's 1");
    expect(() => tighten('m', floor, looser)).toThrow('transitions.hotfix: the floor has none');
  });
});
