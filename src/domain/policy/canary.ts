import { z } from 'zod';
import { ApprovalRule } from './approval-rule.ts';

/** The error rate up to which a candidate can finish, where a policy says nothing else. */
export const DEFAULT_TOLERATED_ERROR_RATE = 0.01;

/** The longest canary: an execution of Step Functions has room for 25,000 events, and a look takes 28 of them; 208 hours would fill it. */
export const MOST_HOURS = 168;

/** How a release is watched in prod while it takes a part of the requests, before it becomes the champion. */
export const CanaryRule = z
  .strictObject({
    /** Share of the requests that the candidate answers, e.g. 0.1; the control arm, which runs the champion, answers as many. A model may only lower it; default: the floor’s. */
    share: z.number().gt(0).max(0.5),
    /** Hours with traffic after which the candidate can finish, e.g. 24: minutes without requests are not counted. A model may only raise it; default: the floor’s. */
    hours: z.number().gt(0).max(MOST_HOURS),
    /** Hours after its start at which a canary that has neither finished nor aborted ends as INCONCLUSIVE, e.g. 72. The floor alone says so. */
    deadlineHours: z.number().gt(0).max(MOST_HOURS),
    /** Error rate, as a share of the candidate's requests, at or above which it cannot finish, e.g. 0.01; where twice the champion's rate is larger, that is what counts. A model may only lower it; default: the floor’s. */
    toleratedErrorRate: z.number().gt(0).max(0.2),
    /**
     * Whether one error aborts, e.g. true: an error of the candidate in a minute in which the champion has none. In minutes in which the champion
     * fails as well it decides nothing, and they are not counted. A model may only change false to true; default: the floor’s.
     */
    noErrors: z.boolean(),
    /** What chooses the arm, e.g. `'event'`: `event`, so that a retry gets the same arm, or `entity`, where one must always see one release; then differing entities can look like a regression. The floor alone says so. */
    assignment: z.enum(['event', 'entity']),
    /** Milliseconds within which an arm has to answer, e.g. 2000: then the champion does, and the answer counts as slow. A model may only lower it; default: the floor’s. */
    armMs: z.int().min(20).max(20_000),
    /** Minutes after its end when a minute of the request log is judged, e.g. 2: lines that come later may decide nothing. The floor alone says so. */
    closeMinutes: z.int().min(0).max(15),
    /** Minutes without a request that the candidate or the champion answered, after which the canary pauses, e.g. 15. A model may only lower it; default: the floor’s. */
    staleMinutes: z.int().min(2).max(1440),
    /** Probability with which a bad error rate must be found within the hours, by the traffic before the start, e.g. 0.9: a canary with less does not start. A model may only raise it; default: the floor’s. */
    power: z.number().min(0.5).max(0.999),
    /** The shadow before the canary: the candidate answers stored events, and what the champion answered is compared in pairs. Without it there is none; default: the floor’s. */
    shadow: z
      .strictObject({
        /** Fewest pairs on which the shadow can finish, e.g. 5000. A model may only raise it; default: the floor’s. */
        minimumPairs: z.int().min(1),
        /** Whether a changed share of positive decisions aborts as well, e.g. false: a better model may decide differently. A model may only change false to true; default: the floor’s. */
        decisions: z.boolean(),
      })
      .exactOptional(),
    /** Who approves besides that a release is promoted on its shadow alone, where the traffic is too little for a canary, e.g. `[{ role: 'risk', count: 1 }]`. A model may only add; default: the floor’s, and without it nobody may. */
    shadowOnly: z.array(ApprovalRule).min(1).exactOptional(),
    /**
     * What is done with the traffic, e.g. `blue-green`: `canary` divides it; `blue-green` divides none, has the candidate loaded for `hours`
     * beside the champion, and switches at once. The floor alone says so. Default: `canary`.
     */
    plan: z.enum(['canary', 'blue-green']).exactOptional(),
    /** An A/B test, which a request may ask for in the canary’s stead: two arms for a stated time, a report, and nothing is promoted. The floor alone says so; without it there is none. */
    ab: z
      .strictObject({
        /** Share of the requests that each of the two arms answers, e.g. 0.3. */
        share: z.number().gt(0).max(0.5),
        /** Hours that it lasts, e.g. 48. */
        hours: z.number().gt(0).max(MOST_HOURS),
      })
      .exactOptional(),
  })
  .superRefine(({ hours, deadlineHours, shadow, shadowOnly }, context) => {
    if (shadowOnly !== undefined && shadow === undefined)
      context.addIssue({ code: 'custom', path: ['shadowOnly'], message: 'only beside a shadow' });
    if (deadlineHours < hours)
      context.addIssue({ code: 'custom', path: ['deadlineHours'], message: `at least hours, ${hours}` });
  });
export type CanaryRule = z.infer<typeof CanaryRule>;

/** What a request asks of its canary otherwise than the policy: more hours, that there is none where people approve that, or an A/B test. */
export const CanaryRequest = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('longer'), hours: z.number().gt(0).max(MOST_HOURS) }),
  z.strictObject({ kind: z.literal('shadow-only') }),
  z.strictObject({ kind: z.literal('ab') }),
]);
export type CanaryRequest = z.infer<typeof CanaryRequest>;

/** The rule that a request pins: with the hours that were asked for, where those are more, and a deadline that is later by as much; or as an A/B test. */
export function askedFor(rule: CanaryRule, request: CanaryRequest | undefined): CanaryRule {
  if (request?.kind === 'ab' && rule.ab !== undefined) return { ...rule, ...rule.ab, deadlineHours: rule.ab.hours };
  if (request?.kind !== 'longer' || request.hours <= rule.hours) return rule;
  return { ...rule, hours: request.hours, deadlineHours: rule.deadlineHours + request.hours - rule.hours };
}
