import { describe, expect, it } from 'vitest';
import { tighten } from '#domain/policy/tighten.ts';
import type { PolicyTightening } from '#domain/policy/tightening.ts';
import { floor } from './_floor.ts';

const loosened: [string, PolicyTightening, string][] = [
  [
    'fewer people to change it',
    { activation: [{ role: 'platform', count: 2 }] },
    "activation: 0 of risk is fewer than the floor's 1",
  ],
  [
    'a smaller gain',
    { comparison: { minimumImprovement: 0.004 } },
    "comparison.minimumImprovement: 0.004 is looser than the floor's 0.005",
  ],
  [
    'less confidence',
    { comparison: { confidence: 0.9 } },
    "comparison.confidence: 0.9 is looser than the floor's 0.95",
  ],
  ['fewer days', { comparison: { minimumDays: 6 } }, "comparison.minimumDays: 6 is looser than the floor's 7"],
  ['fewer rows', { comparison: { minimumRows: 1999 } }, "comparison.minimumRows: 1999 is looser than the floor's 2000"],
  ['less skill', { comparison: { minimumSkill: 0 } }, "comparison.minimumSkill: 0 is looser than the floor's 0.005"],
  ['another cluster', { comparison: { cluster: 'row' } }, "comparison.cluster: row is not the floor's day"],
  ['a larger gain that is believed', { comparison: { tooGood: 0.1 } }, "tooGood: 0.1 is looser than the floor's 0.08"],
  ['more doubtful labels', { comparison: { baseRateFactor: 3 } }, "baseRateFactor: 3 is looser than the floor's 2"],
  [
    'a slice column less',
    { comparison: { slices: { columns: ['destination'] } } },
    "comparison.slices.columns: origin is the floor's and missing here",
  ],
  ['fewer slices', { comparison: { slices: { largest: 3 } } }, 'comparison.slices.largest: 3 is looser'],
  ['slices that lose more', { comparison: { slices: { tolerance: 0.06 } } }, 'comparison.slices.tolerance: 0.06 is'],
  ['slices proven worse only', { comparison: { slices: { level: 0.01 } } }, 'comparison.slices.level: 0.01 is looser'],
  ['a guard', { comparison: { guards: { brier: 0.03 } } }, 'comparison.guards.brier: 0.03 is looser'],
  ['no number', { comparison: { confidence: Number.NaN } }, 'comparison.confidence: NaN is looser'],
  [
    'more labels before their event',
    { data: { earlyLabels: 0.02 } },
    "data.earlyLabels: 0.02 is looser than the floor's 0.01",
  ],
  [
    'more labels that are replaced',
    { data: { replacedLabels: 0.2 } },
    "data.replacedLabels: 0.2 is looser than the floor's 0.1",
  ],
  [
    'rows further from the usual',
    { data: { rowCounts: { tolerance: 0.31 } } },
    "data.rowCounts.tolerance: 0.31 is looser than the floor's 0.3",
  ],
  [
    'days that are judged later',
    { data: { rowCounts: { minimumWeeks: 4 } } },
    "data.rowCounts.minimumWeeks: 4 is looser than the floor's 3",
  ],
  [
    'more requests that fail',
    { serving: { errors: { rate: 0.06 } } },
    "serving.errors.rate: 0.06 is looser than the floor's 0.05",
  ],
  [
    'answers that are slower',
    { serving: { latency: { factor: 3, share: 0.01 } } },
    "serving.latency.factor: 3 is looser than the floor's 2",
  ],
  ['more slow answers', { serving: { latency: { share: 0.02 } } }, 'serving.latency.share: 0.02 is looser'],
  ['more failed probes', { serving: { health: { failures: 4 } } }, 'serving.health.failures: 4 is looser'],
  [
    'people who are told later',
    { operations: { acknowledgeMinutes: 61 } },
    'operations.acknowledgeMinutes: 61 is looser',
  ],
  ['a root cause that is due later', { operations: { rootCauseHours: 49 } }, 'operations.rootCauseHours: 49 is looser'],
  ['an input that is not looked at', { drift: { stable: ['y'] } }, "drift.stable: x is the floor's and missing here"],
  [
    'inputs further from what they were',
    { drift: { index: 0.11 } },
    "drift.index: 0.11 is looser than the floor's 0.1",
  ],
  [
    'a release further from its shadow',
    { drift: { disagreement: 2 } },
    "drift.disagreement: 2 is looser than the floor's 1.3",
  ],
  [
    'retrainings in quick succession',
    { drift: { retrainAtMostEveryDays: 6 } },
    "drift.retrainAtMostEveryDays: 6 is looser than the floor's 7",
  ],
  [
    'a gate less',
    { transitions: { prod: { gates: ['released-upstream', 'better-than-champion'] } } },
    "transitions.prod.gates: release-integrity is the floor's and missing",
  ],
  [
    'no gates',
    { transitions: { staging: { gates: [] } } },
    "transitions.staging.gates: released-upstream is the floor's",
  ],
  [
    'fewer people',
    {
      transitions: {
        prod: {
          approvals: [
            { role: 'ml-lead', count: 1 },
            { role: 'platform', count: 1 },
          ],
        },
      },
    },
    "transitions.prod.approvals: 1 of ml-lead is fewer than the floor's 2",
  ],
  [
    'other people',
    {
      transitions: {
        prod: {
          approvals: [
            { role: 'ml-lead', count: 2 },
            { role: 'risk', count: 3 },
          ],
        },
      },
    },
    "transitions.prod.approvals: 0 of platform is fewer than the floor's 1",
  ],
  ['nobody', { transitions: { prod: { approvals: [] } } }, "0 of ml-lead is fewer than the floor's 2"],
  [
    'an opening by itself',
    { transitions: { prod: { opensOnOffer: true } } },
    "transitions.prod.opensOnOffer: true is looser than the floor's false",
  ],
  [
    'older evidence',
    { transitions: { prod: { evidenceValidHours: 73 } } },
    "transitions.prod.evidenceValidHours: 73 is looser than the floor's 72",
  ],
  [
    'more time',
    { transitions: { staging: { approvalHours: 49 } } },
    "transitions.staging.approvalHours: 49 is looser than the floor's 48",
  ],
  [
    'a probation that the floor does not know',
    { transitions: { prod: { probation: { days: 1 } } } },
    'transitions.prod.probation: the floor has none',
  ],
  [
    'a longer probation',
    { transitions: { staging: { probation: { days: 15 } } } },
    "transitions.staging.probation.days: 15 is looser than the floor's 14",
  ],
  [
    'fewer days on which is confirmed',
    { transitions: { staging: { probation: { minimumDays: 4 } } } },
    "transitions.staging.probation.minimumDays: 4 is looser than the floor's 5",
  ],
  [
    'more labels before it is rolled back',
    { transitions: { staging: { probation: { fast: { minimumLabels: 5001 } } } } },
    "transitions.staging.probation.fast.minimumLabels: 5001 is looser than the floor's 5000",
  ],
  [
    'older labels',
    { transitions: { staging: { probation: { fast: { hours: 25 } } } } },
    "transitions.staging.probation.fast.hours: 25 is looser than the floor's 24",
  ],
  [
    'a larger loss that is borne',
    { transitions: { staging: { probation: { fast: { loss: 0.03 } } } } },
    "transitions.staging.probation.fast.loss: 0.03 is looser than the floor's 0.02",
  ],
  [
    'a larger loss that is proven and borne',
    { transitions: { staging: { probation: { fast: { provenLoss: 0.015 } } } } },
    "transitions.staging.probation.fast.provenLoss: 0.015 is looser than the floor's 0.01",
  ],
  [
    'smaller gains on probation',
    { comparison: { provisional: { minimumImprovement: 0.002, tolerance: 0.01 } } },
    "comparison.provisional.minimumImprovement: 0.002 is looser than the floor's 0.0025",
  ],
  [
    'larger losses on probation',
    { comparison: { provisional: { minimumImprovement: 0.0025, tolerance: 0.02 } } },
    "comparison.provisional.tolerance: 0.02 is looser than the floor's 0.01",
  ],
];

describe('a model’s policy', () => {
  it.each(loosened)('is refused with %s, and both values are named', (_, own, message) => {
    const refused = expect.objectContaining({ code: 'POLICY_LOOSENED', message: expect.stringContaining(message) });
    expect(() => tighten('m', floor, own)).toThrow(refused);
  });

  it('reports every loosening at once', () => {
    const own: PolicyTightening = { comparison: { minimumDays: 1 }, transitions: { prod: { approvalHours: 99 } } };
    expect(() => tighten('m', floor, own)).toThrow(/minimumDays.*approvalHours/s);
  });
});
