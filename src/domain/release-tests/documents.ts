import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { InputPartition, ObjectReference } from '../data/partition.ts';
import { Day, ModelName } from '../model/definition.ts';

/** The published day by which the batch run of a release is tested, and the events that its endpoint is asked for. */
export const BatchSample = document(
  'batch sample',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    release: Digest,
    /** Why the batch run did not do what it should; null where it did. */
    problem: z.string().min(1).max(300).nullable(),
    /** The newest day that the release has published; null where there is none. */
    published: z
      .strictObject({ day: Day, features: Digest, object: ObjectReference, rows: z.int().nonnegative() })
      .nullable(),
    /** The events of that day and of those that its features read besides; none where they were replaced since. */
    events: z.array(InputPartition),
  }),
);
export type BatchSample = z.infer<typeof BatchSample>;

const Row = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** Events that an endpoint is asked for, one by request, and what the batch run published of each. */
export const EndpointRequests = document(
  'endpoint requests',
  z.strictObject({
    formatVersion: z.literal(1),
    day: Day,
    requests: z.array(
      z.strictObject({ id: z.string(), event: Row, context: z.array(Row), published: z.number().nullable() }),
    ),
  }),
);
export type EndpointRequests = z.infer<typeof EndpointRequests>;
