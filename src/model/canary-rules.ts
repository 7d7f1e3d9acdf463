import { type GateId, phaseOf } from '#domain/gates/gate.ts';
import type { CanaryRule } from '#domain/policy/canary.ts';
import { PATIENCE_HOURS, WORK_HOURS } from '#domain/promotion/durations.ts';
import type { ConsistencyRule, DescribedModel } from './consistency.ts';
import { inPolicy, own, transitions } from './where-values-stand.ts';

/** The gates that a canary is made of. */
function isOfCanary(gate: GateId): boolean {
  return gate === 'canary-power' || phaseOf(gate) === 'after-approval';
}

/** Hours until a canary, or an A/B test in its stead, has ended. */
function longestOf(canary: CanaryRule | undefined): number {
  return Math.max(canary?.deadlineHours ?? 0, canary?.ab?.hours ?? 0);
}

/** What a policy's canary can contradict. */
export const CANARY_RULES: readonly ConsistencyRule<DescribedModel>[] = [
  {
    id: 'canary-where-served',
    compares: '`transitions.*.canary` and its gates × where customers are served',
    because:
      'A canary is a part of the traffic of customers: a baseline has none to be compared with, and staging has none.',
    find: (model) =>
      transitions(model).flatMap(({ path, rule }) => {
        const gates = rule.gates.filter(isOfCanary);
        const isHere = path === 'transitions.prod' || path === 'transitions.hotfix';
        if (isHere || (rule.canary === undefined && gates.length === 0)) return [];
        const found = `${inPolicy(model, `${path}.gates`)} requires ${gates.join(', ') || 'none'}, and ${inPolicy(model, `${path}.canary.hours`)}: canaries are for transitions.prod and transitions.hotfix`;
        return [{ found, remedy: 'require them of transitions.prod or transitions.hotfix' }];
      }),
  },
  {
    id: 'canary-has-gates',
    compares: '`transitions.*.canary` × `.gates`',
    because:
      'The gates `canary-power` and `canary`, and `shadow` where there is one, are what the rule is judged by: without them nobody watches, and without the rule they never pass.',
    find: (model) =>
      transitions(model).flatMap(({ path, rule: { gates, canary } }) => {
        const needed: GateId[] =
          canary === undefined
            ? []
            : ['canary-power', ...(canary.shadow === undefined ? [] : ['shadow' as const]), 'canary'];
        const missing = needed.filter((gate) => !gates.includes(gate));
        const idle = gates.filter((gate) => isOfCanary(gate) && !needed.includes(gate));
        if (missing.length === 0 && idle.length === 0) return [];
        const hours = inPolicy(model, `${path}.canary.hours`);
        const found = `${inPolicy(model, `${path}.gates`)} ${missing.length > 0 ? `lacks ${missing.join(', ')}` : `requires ${idle.join(', ')}`}, and ${hours}`;
        const remedy =
          missing.length > 0
            ? `add ${missing.join(', ')}`
            : `leave ${idle.join(', ')} out, or say what they are judged by`;
        return [{ found, remedy }];
      }),
  },
  {
    id: 'evidence-outlives-canary',
    compares: '`transitions.*.evidenceValidHours` × `.approvalHours` + `.canary.deadlineHours` or `.canary.ab.hours`',
    because:
      'The evidence that people approved would expire while the canary lasts: a candidate that passes it could not be committed. Six hours are for the work between.',
    find: (model) =>
      transitions(model).flatMap(({ path, rule: { canary, approvalHours, evidenceValidHours } }) => {
        const needed = approvalHours + longestOf(canary) + WORK_HOURS;
        if (canary === undefined || evidenceValidHours >= needed) return [];
        const found = `${inPolicy(model, `${path}.evidenceValidHours`)}, ${inPolicy(model, `${path}.approvalHours`)} and ${inPolicy(model, `${path}.canary.deadlineHours`)}`;
        return [
          {
            found,
            remedy: `set ${path}.evidenceValidHours to ${needed} or more in governance/policy.ts, or fewer of the others in ${own(model)}`,
          },
        ];
      }),
  },
  {
    id: 'canary-within-turn',
    compares: `\`transitions.*.approvalHours\` + \`.canary.deadlineHours\` × the ${PATIENCE_HOURS} hours that a promotion waits for its turn`,
    because: `A promotion holds the model while people decide, while its canary lasts, and for ${WORK_HOURS} hours of work. What waits behind one that holds it longer is refused before its turn comes.`,
    find: (model) =>
      transitions(model).flatMap(({ path, rule: { canary, approvalHours } }) => {
        const most = PATIENCE_HOURS - WORK_HOURS - approvalHours;
        if (canary === undefined || longestOf(canary) <= most) return [];
        const found = `${inPolicy(model, `${path}.canary.deadlineHours`)} and ${inPolicy(model, `${path}.approvalHours`)}, and the next promotion waits ${PATIENCE_HOURS} hours (src/domain/promotion/durations.ts)`;
        return [{ found, remedy: `set deadlineHours and ab.hours to ${most} or less` }];
      }),
  },
];
