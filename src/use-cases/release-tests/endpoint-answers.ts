import { z } from 'zod';
import { document } from '#domain/canonical/document.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { ModelName } from '#domain/model/definition.ts';
import { LoggedRequest } from '#domain/prediction/request-log.ts';

/** What an endpoint has answered to some events, as the request log has it, with the events and contexts as texts by their digests. */
export const EndpointAnswers = document(
  'endpoint answers',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    requests: z.array(LoggedRequest).min(1),
    raw: z.record(Digest, z.string()),
  }),
);
