import { z } from 'zod';
import { AttestationRule } from './attestations.ts';
import { CanaryRule } from './canary.ts';
import { OperationsRule } from './operations.ts';
import { ApprovalRule } from './approval-rule.ts';
import { ComparisonRule, Costs, DataRule, DriftRule, ProbationRule, RowCountRule, TransitionRule } from './policy.ts';
import { ServingRule } from './serving.ts';

/** Some of a rule's fields. What fields contradict each other is looked for in the tightened rule. */
function someOf<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape).partial();
}

const { slices, guards, provisional, ...comparison } = ComparisonRule.shape;
const { rowCounts: _rowCounts, ...data } = DataRule.shape;
const { weeks: _weeks, ...rowCounts } = RowCountRule.shape;
const { minimumRows: _minimumRows, ...drift } = DriftRule.shape;
const { errors, latency, health } = ServingRule.shape;
const { minutes: _errorMinutes, minimumCount: _errorCount, ...errorRate } = errors.shape;
const { minutes: _latencyMinutes, minimumCount: _latencyCount, ...slowAnswers } = latency.shape;
const { rehashDays: _rehashDays, retentionDays: _retentionDays, ...operations } = OperationsRule.shape;
const { unitTests, codeReview, integrationTests, load, securityScan } = AttestationRule.shape;
const { seconds: _seconds, connections: _connections, ...underLoad } = load.shape;
const { fast, ...probation } = ProbationRule.shape;
const { probation: _probation, canary: _canary, ...transition } = TransitionRule.shape;
const {
  deadlineHours: _deadlineHours,
  assignment: _assignment,
  closeMinutes: _closeMinutes,
  plan: _plan,
  ab: _ab,
  shadow,
  ...canary
} = CanaryRule.shape;

const TransitionTightening = someOf({
  ...transition,
  /** How a provisionally passed release is judged while it is served; null: none is promoted. Default: the floor’s. */
  probation: someOf({
    ...probation,
    /** The fast rule: rolls back a release that is clearly worse, before its days are over. Default: the floor’s. */
    fast: someOf(fast.shape),
  }).nullable(),
  /** How a release is watched while it takes a part of the requests. Default of what is left out: the floor’s. */
  canary: someOf({
    ...canary,
    /** The shadow before it. Default of what is left out: the floor’s. */
    shadow: someOf(shadow.unwrap().shape),
  }),
});
export type TransitionTightening = z.infer<typeof TransitionTightening>;

/**
 * What a model's policy may say: any part of the floor's rules, each at least as tight; what the floor allows is given up by
 * null. It is strict: a rule that is spelled wrongly would tighten nothing, and nobody would know.
 */
export const PolicyTightening = someOf({
  /** Whose votes activate another policy of this model: the floor's people and more. Default: the floor’s. */
  activation: z.array(ApprovalRule),
  /** How a candidate is compared with the champion, and what it must achieve. Default of what is left out: the floor’s. */
  comparison: someOf({
    ...comparison,
    /** What passes provisionally, where a transition has a probation; null: nothing. Default: the floor’s. */
    provisional: provisional.unwrap().nullable(),
    /** Slices of rows that are compared separately. Default of what is left out: the floor’s. */
    slices: someOf(slices.shape),
    /** Other measures that a gain in log loss must not worsen. Default of what is left out: the floor’s. */
    guards: someOf(guards.shape),
  }),
  /** What data must fulfil before training and on arrival. Default of what is left out: the floor’s. */
  data: someOf({
    ...data,
    /** How many rows a day of events may have, compared with the same weekday in the weeks before. Default: the floor’s. */
    rowCounts: someOf(rowCounts),
  }),
  /** How drift of the served release is detected. Default of what is left out: the floor’s. */
  drift: someOf(drift),
  /** When an endpoint's release is rolled back by itself. Default of what is left out: the floor’s. */
  serving: someOf({
    /** Failed requests. Default of what is left out: the floor’s. */
    errors: someOf(errorRate),
    /** Slow answers. Default of what is left out: the floor’s. */
    latency: someOf(slowAnswers),
    /** Failed probes. Default of what is left out: the floor’s. */
    health: someOf(health.shape),
  }),
  /** Within what time people act on an incident. Default of what is left out: the floor’s. */
  operations: someOf(operations),
  /** Whose attestations count, for how long, and what they have to say. Default of what is left out: the floor’s. */
  attestations: someOf({
    /** CI jobs whose attestations count beside those of the floor. Default: the floor’s. */
    producers: AttestationRule.shape.producers,
    /** Unit tests of the release's commit. Default: the floor’s. */
    unitTests: someOf(unitTests.shape),
    /** The review of the release's commit. Default of what is left out: the floor’s. */
    codeReview: someOf(codeReview.shape),
    /** Tests of the release where it serves. Default: the floor’s. */
    integrationTests: someOf(integrationTests.shape),
    /** A run of load on the endpoint of the release. Default of what is left out: the floor’s. */
    load: someOf(underLoad),
    /** Scans of the release and of what it was made with. Default of what is left out: the floor’s. */
    securityScan: someOf(securityScan.shape),
  }),
  /** Costs of wrong decisions, for the evaluation report only; no gate uses them. Default: none, and the report shows no costs. */
  costs: Costs,
  /** What each kind of promotion needs. Default of what is left out: the floor’s; `initial` is the floor's alone. */
  transitions: someOf({
    /** From dev to staging. Default: the floor’s. */
    staging: TransitionTightening,
    /** From staging to prod. Default: the floor’s. */
    prod: TransitionTightening,
    /** From dev to prod, without staging; null: this model has no hotfixes. Default: the floor’s. */
    hotfix: TransitionTightening.nullable(),
  }),
});
export type PolicyTightening = z.infer<typeof PolicyTightening>;
