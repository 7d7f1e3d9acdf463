// Without this function what endpoints answered could not be computed again: it brings the lines of their logs into the lake. It is the
// only one that may decrypt them, and reads nothing else.
import { gunzipSync } from 'node:zlib';
import { KMSClient } from '@aws-sdk/client-kms';
import type { CloudWatchLogsEvent } from 'aws-lambda';
import { z } from 'zod';
import { lineReader } from '#adapters/aws/request-log.ts';
import { s3RequestStore } from '#adapters/aws/request-store.ts';
import { parseDocument } from '#domain/canonical/digest.ts';
import { readEnvironment } from '#runtime/env.ts';
import { logger } from '#runtime/observability.ts';
import { s3, Text } from '#runtime/wiring.ts';
import { storeRequests } from '#use-cases/requests/store-requests.ts';

const { LAKE_BUCKET } = readEnvironment(z.object({ LAKE_BUCKET: Text }));
const deps = {
  store: s3RequestStore(s3, LAKE_BUCKET),
  readLine: lineReader({ kms: new KMSClient(), s3, bucket: LAKE_BUCKET }),
};

/** What a subscription delivers; a control message says only that the subscription is there. */
const Delivery = z.object({
  messageType: z.string(),
  logGroup: z.string(),
  logEvents: z.array(z.object({ id: z.string(), message: z.string() })),
});

export async function handler({ awslogs }: CloudWatchLogsEvent): Promise<void> {
  const json: unknown = JSON.parse(gunzipSync(Buffer.from(awslogs.data, 'base64')).toString());
  const { messageType, logGroup, logEvents } = parseDocument(Delivery, json, 'delivery of CloudWatch Logs');
  if (messageType !== 'DATA_MESSAGE') return;
  logger.info('requests stored', { logGroup, ...(await storeRequests(deps, logEvents)) });
}
