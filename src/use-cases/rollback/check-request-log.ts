import { z } from 'zod';
import { closedUntil } from '#domain/prediction/request-log.ts';
import { Day } from '#domain/model/definition.ts';
import type { Clock } from '#ports/clock.ts';
import type { FeatureEngine } from '#ports/feature-engine.ts';
import type { RequestFiles } from '#ports/request-log.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { codeOf, messageOf } from '#use-cases/each.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const CheckRequestLog = contract({
  input: z.object({
    model: z.string(),
    target: z.object({ epoch: z.int(), at: z.iso.datetime() }),
    probes: z.object({ since: z.iso.datetime(), days: z.array(Day) }),
  }),
  output: z.object({
    /** `open` until the log is whole past a minute after the switch; `unread` where it cannot be read. */
    status: z.enum(['open', 'checked', 'unread']),
    /** Answers of an older epoch that began when no endpoint should know it any more. */
    stale: z.int().nonnegative(),
    /** Why it cannot be read; empty where it can. */
    reason: z.string(),
  }),
});

/** How long after the switch the log has to be whole, in milliseconds. */
const PAST_SWITCH_MS = 60_000;

/** Looks whether any request was answered by the epoch that was rolled back, after the switch had to be known. */
export function checkRequestLog(deps: {
  readonly engine: Pick<FeatureEngine, 'countAnswersOfOlderEpochs'>;
  readonly requests: RequestFiles;
  readonly clock: Clock;
}): Task {
  return CheckRequestLog.task(async ({ model, target, probes: { since, days } }) => {
    if (days.length === 0) return { status: 'checked', stale: 0, reason: '' };
    const whole = closedUntil(deps.clock.now()).getTime();
    if (whole < Date.parse(target.at) + PAST_SWITCH_MS) return { status: 'open', stale: 0, reason: '' };
    return withFolder(async (folder) => {
      const files = await Promise.all(days.map((day) => deps.requests.fetch(model, day, folder, new Date(since))));
      const stale = await deps.engine.countAnswersOfOlderEpochs({ requests: files.flat(), epoch: target.epoch, since });
      return { status: 'checked' as const, stale, reason: '' };
    }).catch((error: unknown) => {
      // Whatever it is, the verification is unable, and says why.
      const reason = `${codeOf(error)}: ${messageOf(error)}`.slice(0, 300);
      return { status: 'unread' as const, stale: 0, reason };
    });
  });
}
