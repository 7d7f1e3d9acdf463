import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { LoggedRequest, RequestEvents } from '#domain/prediction/request-log.ts';
import { Refusal } from '#domain/refusal/refusal.ts';
import { MAX_BODY_BYTES } from './protocol.ts';

/** What an endpoint hands to the function of an arm: a request that it could read, as it came. */
export const ArmCall = z.strictObject({
  formatVersion: z.literal(1),
  /** The host's name of the endpoint's call. */
  id: z.string().min(1),
  /** Of the pointer that the endpoint has read: the arm reads again where it knows an older one. */
  pointerSeq: z.int(),
  /** When the request reached the endpoint. */
  startedAt: z.iso.datetime(),
  body: z.string().max(MAX_BODY_BYTES),
});
export type ArmCall = z.infer<typeof ArmCall>;

const { day, aggregates, aggregatesUntil, context, events } = LoggedRequest.shape;

/**
 * What the function of an arm answers: what its predictions were made from, and they themselves, or why there are none. Everything else of receipt and
 * log entry the endpoint knows by itself, and it makes both of one answer.
 */
export const ArmAnswer = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('answered'),
    /** What has answered. */
    release: Digest,
    made: z.strictObject({ day, aggregates, aggregatesUntil, context, events }),
    raw: RequestEvents,
  }),
  z.strictObject({
    kind: z.literal('refused'),
    status: z.int().min(400).max(599),
    refusal: Refusal,
  }),
]);
export type ArmAnswer = z.infer<typeof ArmAnswer>;
