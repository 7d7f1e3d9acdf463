import type { Pointer } from '#domain/promotion/pointer.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import { duration, shortTime } from '../../report.ts';

/** Where a promotion stands, as people wait for it. */
export type Phase = 'gates' | 'approval' | 'shadow' | 'canary' | 'over';

/** The phase of a promotion. @param canaryBegan whether its traffic was divided, or its candidate is loaded */
export function phaseOf({ status }: Pick<Promotion, 'status'>, canaryBegan: boolean): Phase {
  switch (status) {
    case 'open':
      return 'gates';
    case 'awaiting-approval':
      return 'approval';
    case 'in-canary':
      return canaryBegan ? 'canary' : 'shadow';
    case 'committed':
    case 'refused':
    case 'failed':
    case 'superseded':
      return 'over';
  }
}

/** Where a promotion that is watched stands, as its pointer says it: since when of how long, and until when. */
export function watchedText(
  { promotion, canary }: Pick<Promotion, 'promotion' | 'canary'>,
  pointer: Pick<Pointer, 'traffic'> | undefined,
  now: Date,
): string {
  const plan = pointer?.traffic.plan;
  if (plan?.promotion !== promotion) return 'its shadow or canary is about to begin';
  const age = duration(Math.max(0, now.getTime() - Date.parse(plan.startedAt)));
  return `${plan.kind} for ${age} of ${canary?.hours ?? '?'} h with traffic, until ${shortTime(plan.until)} at the latest`;
}
