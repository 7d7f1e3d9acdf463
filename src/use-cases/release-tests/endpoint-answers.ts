import { z } from 'zod';
import { document } from '#domain/canonical/document.ts';
import { ModelName } from '#domain/model/definition.ts';
import { LoggedRequest } from '#domain/prediction/request-log.ts';

const Value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const Sent = z.strictObject({
  inputs: z.array(
    z.strictObject({ name: z.string(), datatype: z.string(), shape: z.array(z.int()), data: z.array(Value) }),
  ),
});

/** What an endpoint was sent, and what it has answered to each, as the request log has it. */
export const EndpointAnswers = document(
  'endpoint answers',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    answers: z.array(z.strictObject({ sent: Sent, answered: LoggedRequest })).min(1),
  }),
);
