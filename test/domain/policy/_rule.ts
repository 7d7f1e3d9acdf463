import type { ApprovalRule } from '#domain/policy/approval-rule.ts';
import type { ComparisonRule, ProbationRule } from '#domain/policy/policy.ts';

/** A comparison rule with the numbers of the organisation's floor, without a provisional one, and with few rows. */
export const RULE = {
  cluster: 'day',
  minimumImprovement: 0.005,
  minimumImprovementSeeded: 0.01,
  seeded: false,
  confidence: 0.95,
  minimumDays: 7,
  minimumRows: 100,
  minimumSkill: 0.005,
  tooGood: 0.08,
  baseRateFactor: 2,
  slices: { columns: [], largest: 12, level: 0.05, tolerance: 0.05 },
  guards: { brier: 0.02, averagePrecision: 0.1, calibration: 2 },
} as const satisfies Omit<ComparisonRule, 'slices'> & { readonly slices: unknown };

/** That rule with some of it changed. */
export function comparisonRule(changes: Partial<ComparisonRule> = {}): ComparisonRule {
  return { ...RULE, slices: { ...RULE.slices, columns: [] }, ...changes };
}

/** How a release on probation is judged, with the numbers of the organisation's floor but for its days. */
export function probationRule(days: number, changes: Partial<ProbationRule> = {}): ProbationRule {
  const fast = { minimumLabels: 5000, hours: 24, loss: 0.02, provenLoss: 0.01 };
  return { days, minimumDays: Math.max(2, Math.min(days, 5)), fast, ...changes };
}

/** The people of the organisation's floor who bring another policy into force. */
export const ACTIVATION: ApprovalRule[] = [
  { role: 'platform', count: 1 },
  { role: 'risk', count: 1 },
];
