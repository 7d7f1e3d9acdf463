import type { ActivePolicy } from '../policy/activation.ts';
import type { Pointer } from '../promotion/pointer.ts';
import { rollbackTarget } from '../promotion/rollback.ts';
import type { AutomaticRollback } from './alarm.ts';
import type { Judgement } from './judge-samples.ts';

/** What an alarm leads to: a rollback, people, or nothing that they are not told by the alarm itself. */
export interface AlarmDecision {
  readonly verdict: 'roll-back' | 'page' | 'none';
  readonly found: string;
}

/**
 * Decides what follows from an alarm that was judged. Nothing is rolled back unproven, twice, or onto nothing; one rollback within the
 * policy's hours, so that an outage of something else never walks back release by release.
 */
export function decideAlarm(state: {
  readonly pointer: Pointer;
  readonly policy: ActivePolicy;
  readonly automatic: AutomaticRollback | undefined;
  readonly judgement: Judgement;
  /** When the alarm fired; undefined where it is in alarm and the supervisor looks. */
  readonly firedAt: Date | undefined;
  readonly now: Date;
}): AlarmDecision {
  const { pointer, policy, automatic, judgement, firedAt, now } = state;
  const { found } = judgement;
  if (firedAt !== undefined && firedAt.getTime() < Date.parse(pointer.at))
    return { verdict: 'none', found: `it fired before epoch ${pointer.epoch} began, at ${pointer.at}` };
  if (!judgement.isProven) return { verdict: 'none', found };
  const target = rollbackTarget(pointer, () => false);
  if (target.kind === 'refuse') return { verdict: 'page', found: `${found}; ${target.refusal.found}` };
  const hours = policy.rules.serving?.hoursBetweenRollbacks ?? Number.POSITIVE_INFINITY;
  const since = automatic === undefined ? Number.POSITIVE_INFINITY : now.getTime() - Date.parse(automatic.at);
  if (automatic !== undefined && automatic.epoch !== pointer.epoch && since < hours * 3_600_000)
    return {
      verdict: 'page',
      found: `${found}; an alarm rolled back at ${automatic.at}, and within ${hours} hours there is no second rollback`,
    };
  return { verdict: 'roll-back', found };
}
