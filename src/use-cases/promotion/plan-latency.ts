import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { Day } from '#domain/model/definition.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';
import { answeredDays } from '#read-model/aggregates.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { PromotionParameters } from './promotion-parameters.ts';

export const PlanLatency = contract({
  input: PromotionParameters,
  output: z.object({
    /** Milliseconds that the new release's model promises; null where it answers no requests. */
    objectiveMs: z.number().nullable(),
    /** The outgoing champion, whose answers are measured; null where there is none. */
    champion: Digest.nullable(),
    /** The days of events that it answers, and between which moments its answers count. */
    days: z.array(Day),
    from: z.iso.datetime(),
    until: z.iso.datetime(),
  }),
});

const DAY_MS = 86_400_000;

/** Plans what the latency of a release is compared with while it is served: the answers of the outgoing champion within a day. */
export function planLatency(deps: {
  readonly ledger: Ledger;
  readonly documents: ReadableStore;
  readonly releases: ReadableStore;
  readonly clock: Clock;
}): Task {
  return PlanLatency.task(async (named) => {
    const now = deps.clock.now();
    const window = { from: new Date(now.getTime() - DAY_MS).toISOString(), until: now.toISOString() };
    const [{ release }, pointer] = await Promise.all([
      readPromotion(deps.ledger, named),
      readPointer(deps.ledger, named.model),
    ]);
    const { definition } = await definitionOf(deps.releases, release);
    if (definition.online === undefined) return { objectiveMs: null, champion: null, days: [], ...window };
    const { objectiveMs } = definition.online;
    if (pointer === undefined) return { objectiveMs, champion: null, days: [], ...window };
    const days = [...(await answeredDays(deps, definition, now))];
    return { objectiveMs, champion: pointer.current, days, ...window };
  });
}
