import { z } from 'zod';
import { saltFor } from '#domain/canary/arm.ts';
import { Digest } from '#domain/canonical/digest.ts';
import type { NewestRequests } from '#ports/request-log.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const ChooseSalt = contract({
  input: PromotionParameters.extend({
    assigned: z.object({
      by: z.enum(['event', 'entity']),
      share: z.number(),
      /** The column of the entity. */
      entity: z.string(),
      /** Whose requests, of which window, say how many each entity sends. */
      champion: Digest,
      from: z.iso.datetime(),
      until: z.iso.datetime(),
    }),
  }),
  output: z.object({
    salt: z.string(),
    /** The arms' shares of those requests by this salt; null where requests are assigned one by one. */
    candidate: z.number().nullable(),
    control: z.number().nullable(),
  }),
});

const EventJson = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** Salts that are tried, and requests that are looked at. */
const SALTS = 50;
const MOST_REQUESTS = 5000;

/**
 * Chooses the salt by which requests get their arm: another one for each promotion. By entity a few may send most of the requests, so that the
 * salt is the one by which the arms would have had the shares that are planned. Requests whose events are not kept say nothing.
 */
export function chooseSalt(deps: { readonly requests: NewestRequests }): Task {
  return ChooseSalt.task(
    async ({ model, promotion, assigned: { by, share, entity, champion: release, from, until } }) => {
      if (by === 'event') return { salt: promotion, candidate: null, control: null };
      const window = { from: new Date(from), until: new Date(until) };
      const { requests, raw } = await deps.requests.readNewest({ model, release, ...window, most: MOST_REQUESTS });
      const counts = new Map<string, number>();
      for (const { events } of requests) {
        const event = EventJson.parse(JSON.parse(raw.get(events[0]?.digest ?? '') ?? '{}'));
        // As an endpoint does: an event without an entity is assigned by its id.
        const value = String(event[entity] ?? events[0]?.id ?? '');
        counts.set(value, (counts.get(value) ?? 0) + 1);
      }
      const [first = promotion, ...others] = Array.from({ length: SALTS }, (_, index) => `${promotion}-${index}`);
      return saltFor(counts, share, [first, ...others]);
    },
  );
}
