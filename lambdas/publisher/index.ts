// Without this function nobody outside this account would learn anything: it signs what the chain says, publishes it and
// announces it. It is the only one that may use the signing key.
import { randomUUID } from 'node:crypto';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { SNSClient } from '@aws-sdk/client-sns';
import type { Context } from 'aws-lambda';
import { z } from 'zod';
import { snsAnnouncements } from '#adapters/aws/announcements.ts';
import { s3PublishedRecords } from '#adapters/aws/published-records.ts';
import { kmsSigner } from '#adapters/aws/signer.ts';
import { parseDocument } from '#domain/canonical/digest.ts';
import { readEnvironment } from '#runtime/env.ts';
import { logger } from '#runtime/observability.ts';
import { clock, ledgerOf, s3, Text } from '#runtime/wiring.ts';
import { publishModels } from '#use-cases/announcements/publish-records.ts';

const { LEDGER_TABLE, PUBLISHED_BUCKET, SIGNING_KEY, ANNOUNCEMENTS_TOPIC, ALERTS_TOPIC, BUS } = readEnvironment(
  z.object({
    LEDGER_TABLE: Text,
    PUBLISHED_BUCKET: Text,
    SIGNING_KEY: Text,
    ANNOUNCEMENTS_TOPIC: Text,
    ALERTS_TOPIC: Text,
    BUS: Text,
  }),
);
const deps = {
  ledger: ledgerOf({ ledger: LEDGER_TABLE }),
  clock,
  newClaim: () => randomUUID(),
  signer: kmsSigner(new KMSClient(), SIGNING_KEY),
  published: s3PublishedRecords(s3, PUBLISHED_BUCKET),
  announcements: snsAnnouncements(
    { sns: new SNSClient(), alerts: new SNSClient({ maxAttempts: 1 }), events: new EventBridgeClient() },
    { announcementsTopic: ANNOUNCEMENTS_TOPIC, alertsTopic: ALERTS_TOPIC, bus: BUS },
  ),
};

/** What the last record of an invocation may take: the rest is left to the next one, which the reconciler asks for. */
const RESERVE_MS = 20_000;

/** The ledger's stream, filtered to chain records, or the reconciler's word that a model has unpublished ones. */
const Event = z.union([
  z.object({ model: Text }).transform(({ model }) => [model]),
  z
    .object({ Records: z.array(z.object({ dynamodb: z.object({ Keys: z.object({ pk: z.object({ S: Text }) }) }) })) })
    .transform(({ Records: records }) => records.flatMap(({ dynamodb }) => modelOf(dynamodb.Keys.pk.S))),
]);

function modelOf(pk: string): string[] {
  const [authority, model] = pk.split('#');
  return authority === 'CHAIN' && model !== undefined ? [model] : [];
}

export async function handler(event: unknown, context: Context): Promise<void> {
  const models = [...new Set(parseDocument(Event, event, 'stream event'))];
  const until = new Date(Date.now() + context.getRemainingTimeInMillis() - RESERVE_MS);
  for (const result of await publishModels(deps, models, until)) logger.info('published', { ...result });
}
