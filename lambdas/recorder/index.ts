// Without this function an execution that was stopped or timed out as a whole would end without a word: its machine's own
// recording states never ran.
import { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';
import { readEnvironment } from '#runtime/env.ts';
import { logger } from '#runtime/observability.ts';
import { clock, ledgerOf, Text } from '#runtime/wiring.ts';
import { recordExecutionEnd } from '#use-cases/recorder/record-execution-end.ts';

const { ENVIRONMENT, LEDGER_TABLE } = readEnvironment(z.object({ ENVIRONMENT: Text, LEDGER_TABLE: Text }));
const deps = { environment: ENVIRONMENT, ledger: ledgerOf({ ledger: LEDGER_TABLE }), clock };
const Event = z.object({
  detail: z.object({
    executionArn: Text,
    stateMachineArn: Text,
    name: Text,
    status: Text,
    input: z.string().nullish(),
    cause: z.string().nullish(),
  }),
});

export async function handler(event: unknown): Promise<void> {
  const { detail } = parseDocument(Event, event, 'execution status event');
  logger.info('execution ended', { execution: detail.executionArn, ...(await recordExecutionEnd(deps, detail)) });
}
