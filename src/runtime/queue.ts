import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';
import { each, type Fault } from '#use-cases/each.ts';
import { logger } from './observability.ts';

/**
 * The handler of a function that works off a queue: a message whose work throws goes back alone, and after its last
 * try into the dead-letter queue; the others of the batch are done.
 */
export function queueHandler<T>(
  schema: z.ZodType<T>,
  work: (message: T) => Promise<object>,
): (event: SQSEvent) => Promise<SQSBatchResponse> {
  return async ({ Records: records }) => {
    const faults: Fault[] = [];
    await each(
      faults,
      records,
      ({ messageId }) => ({ item: messageId }),
      async ({ body, messageId }) => {
        const result = await work(parseDocument(schema, JSON.parse(body), 'message'));
        logger.info('message done', { messageId, ...result });
      },
    );
    for (const { item: messageId, error } of faults)
      logger.error('message failed', { messageId, error: error instanceof Error ? error : String(error) });
    return { batchItemFailures: faults.map(({ item }) => ({ itemIdentifier: item })) };
  };
}
