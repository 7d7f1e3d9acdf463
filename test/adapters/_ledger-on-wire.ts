import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoLedger } from '#adapters/aws/ledger.ts';
import { ABSENT, type Item, type Write } from '#domain/ledger/item.ts';
import { freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';
import { createTables } from './_tables.ts';
import { onTheWire, type WireCall, type WireFault } from './_wire.ts';

let cloud: TestCloud;

/** A ledger in DynamoDB, what it sent, and how the next requests fare. */
export async function onWire(maxAttempts?: number) {
  const client = new DynamoDBClient({
    region: cloud.region,
    endpoint: cloud.endpoint,
    credentials: { accessKeyId: '111111111111', secretAccessKey: 'test' },
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
  });
  const tables = await createTables(client, randomUUID());
  let meet: (call: WireCall) => WireFault | undefined = () => undefined;
  const calls = onTheWire(client, (call) => meet(call));
  const ledger = dynamoLedger(DynamoDBDocumentClient.from(client), tables);
  return { ledger, calls, tables, meets: (next: typeof meet) => void (meet = next) };
}

export const CONFLICT: WireFault = { error: 'TransactionCanceledException', reasons: ['None', 'TransactionConflict'] };

/** As often as the adapter tries. */
export const eightTimes = (fault: WireFault): WireFault[] => Array.from({ length: 8 }, () => fault);

export const item = (sk: string, values: Record<string, Item[string]> = {}): Item => ({ pk: 'RUN#m', sk, ...values });

export const put = (of: Item, condition: Write['condition'] = ABSENT): Write => ({ kind: 'put', item: of, condition });

/** A cloud of one’s own. */
export async function begin(): Promise<void> {
  cloud = await freshCloud();
}

/** Removes what was made. */
export async function end(): Promise<void> {
  await cloud[Symbol.asyncDispose]();
}
