import { OPERATIONS_DEFAULT } from '#domain/policy/operations.ts';
import { type PolicyFloor } from '#domain/policy/policy.ts';
import { SERVING } from '#test/domain/alarm/_serving.ts';
import { DRIFT } from '#test/domain/drift/_evidence.ts';
import { ACTIVATION, comparisonRule, probationRule, RULE } from './_rule.ts';

export const transition = {
  gates: ['released-upstream', 'release-integrity', 'better-than-champion'],
  approvals: [
    { role: 'ml-lead', count: 2 },
    { role: 'platform', count: 1 },
  ],
  opensOnOffer: false,
  evidenceValidHours: 72,
  approvalHours: 48,
} satisfies PolicyFloor['transitions']['prod'];

export const numbers = comparisonRule({
  minimumRows: 2000,
  slices: { ...RULE.slices, columns: ['origin'] },
});

export const floor: PolicyFloor = {
  activation: ACTIVATION,
  comparison: { ...numbers, provisional: { minimumImprovement: 0.0025, tolerance: 0.01 } },
  data: { rowCounts: { tolerance: 0.3, weeks: 8, minimumWeeks: 3 }, earlyLabels: 0.01, replacedLabels: 0.1 },
  drift: { ...DRIFT, stable: ['x'] },
  serving: SERVING,
  operations: OPERATIONS_DEFAULT,
  transitions: {
    initial: { ...transition, approvals: [] },
    staging: { ...transition, approvals: [], opensOnOffer: true, probation: probationRule(14) },
    prod: transition,
  },
};
