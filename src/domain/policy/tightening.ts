import { z } from 'zod';
import {
  ApprovalRule,
  ComparisonRule,
  Costs,
  DataRule,
  DriftRule,
  ProbationRule,
  RowCountRule,
  TransitionRule,
} from './policy.ts';

/** Some of a rule's fields. What fields contradict each other is looked for in the tightened rule. */
function someOf<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape).partial();
}

const { slices, guards, provisional, ...comparison } = ComparisonRule.shape;
const { rowCounts: _rowCounts, ...data } = DataRule.shape;
const { weeks: _weeks, ...rowCounts } = RowCountRule.shape;
const { minimumRows: _minimumRows, ...drift } = DriftRule.shape;
const { fast, ...probation } = ProbationRule.shape;
const { probation: _probation, ...transition } = TransitionRule.shape;

const TransitionTightening = someOf({
  ...transition,
  probation: someOf({ ...probation, fast: someOf(fast.shape) }).nullable(),
});
export type TransitionTightening = z.infer<typeof TransitionTightening>;

/**
 * What a model's policy may say: any part of the floor's rules, each at least as tight; what the floor allows is given up by
 * null. It is strict: a rule that is spelled wrongly would tighten nothing, and nobody would know.
 */
export const PolicyTightening = someOf({
  activation: z.array(ApprovalRule),
  comparison: someOf({
    ...comparison,
    provisional: provisional.unwrap().nullable(),
    slices: someOf(slices.shape),
    guards: someOf(guards.shape),
  }),
  data: someOf({ ...data, rowCounts: someOf(rowCounts) }),
  drift: someOf(drift),
  costs: Costs,
  transitions: someOf({
    staging: TransitionTightening,
    prod: TransitionTightening,
    hotfix: TransitionTightening.nullable(),
  }),
});
export type PolicyTightening = z.infer<typeof PolicyTightening>;
