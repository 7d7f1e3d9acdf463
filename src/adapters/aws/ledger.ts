import {
  IdempotentParameterMismatchException,
  TransactionCanceledException,
  TransactionInProgressException,
} from '@aws-sdk/client-dynamodb';
import type { BatchGetCommandInput, DynamoDBDocumentClient, TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { BatchGetCommand, GetCommand, paginateQuery, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { setTimeout as delay } from 'node:timers/promises';
import { digestOf } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import {
  checkTransaction,
  type Condition,
  type Item,
  type Key,
  keyOf,
  keyText,
  MAX_TOKEN,
  type Write,
} from '#domain/ledger/item.ts';
import { CATALOGUE_AUTHORITIES } from '#domain/ledger/keys.ts';
import type { Ledger, TransactionResult } from '#ports/ledger.ts';

/** The tables of an environment; the key's authority says which one an item is in. */
export interface LedgerTables {
  readonly ledger: string;
  readonly catalogue?: string;
}

/** Cancellation codes that a repetition may mend; any other that is not ConditionalCheckFailed is a fault. */
const RETRYABLE = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);
const ATTEMPTS = 8;
/** The most keys that DynamoDB takes in one batch of reads. */
const MAX_KEYS = 100;

/** The ledger in DynamoDB. */
export function dynamoLedger(client: DynamoDBDocumentClient, tables: LedgerTables): Ledger {
  const tableOf = (key: { readonly pk: string }): string => {
    const authority = key.pk.slice(0, key.pk.indexOf('#'));
    if (!CATALOGUE_AUTHORITIES.includes(authority)) return tables.ledger;
    if (tables.catalogue === undefined)
      throw new GatehouseError('NO_CATALOGUE', 'this function has no catalogue table', { ...key });
    return tables.catalogue;
  };
  // A token is the account's, not the table's: environments that share one may come to the same token for other bodies.
  const ownToken = (token: string): string =>
    digestOf([tables.ledger, tables.catalogue ?? '', token].join('\n')).slice(-MAX_TOKEN);
  const reads = readsByTurn(client, tableOf);
  return {
    get: async (key) => (await reads.ask([key])).get(keyText(key)),
    async getMany(keys) {
      const found = await reads.ask(keys);
      return keys.map((key) => found.get(keyText(key)));
    },
    async query(pk, range = {}) {
      const names = range.from !== undefined || range.to !== undefined ? { '#sk': 'sk' } : undefined;
      const pages = paginateQuery(
        { client },
        {
          TableName: tableOf({ pk }),
          ConsistentRead: true,
          KeyConditionExpression: `pk = :pk${rangeExpression(range)}`,
          ExpressionAttributeValues: {
            ':pk': pk,
            ...(range.from === undefined ? {} : { ':from': range.from }),
            ...(range.to === undefined ? {} : { ':to': range.to }),
          },
          ...(names === undefined ? {} : { ExpressionAttributeNames: names }),
          ScanIndexForward: range.newestFirst !== true,
          ...(range.limit === undefined ? {} : { Limit: range.limit }),
        },
      );
      const items: Item[] = [];
      for await (const page of pages) {
        items.push(...((page.Items ?? []) as Item[]));
        if (range.limit !== undefined && items.length >= range.limit) break;
      }
      return items.slice(0, range.limit);
    },
    async transact(writes, token): Promise<TransactionResult> {
      checkTransaction(writes, token);
      const input: TransactWriteCommandInput = {
        ClientRequestToken: ownToken(token),
        TransactItems: writes.map((write) => action(write, tableOf(keyOf(write)))),
      };
      for (let attempt = 1; ; attempt += 1) {
        try {
          await client.send(new TransactWriteCommand(input));
          return { kind: 'committed' };
        } catch (error) {
          const failed = failedConditions(error, writes);
          if (failed !== undefined) return { kind: 'condition-failed', failed };
          if (error instanceof IdempotentParameterMismatchException) {
            const message = 'the idempotency token was used with another body';
            throw new GatehouseError('TOKEN_REUSED', message, { token }, error);
          }
          if (!isRetryable(error)) throw error;
          if (attempt === ATTEMPTS) throw busy(error);
          await backOff(attempt);
        }
      }
    },
  };
}

/** 10 ms at first, then twice as long each time, half of it by chance, so that those who collided do not meet again. */
function backOff(attempt: number): Promise<void> {
  return delay(2 ** attempt * 5 * (0.5 + Math.random()));
}

function busy(cause: unknown): GatehouseError {
  return new GatehouseError('LEDGER_BUSY', `the ledger did not come to rest in ${ATTEMPTS} attempts`, {}, cause);
}

/**
 * Reads by key. What is asked for in the same turn of the event loop goes as one request: a decision that reads several
 * items side by side costs one call, and needs no list of keys of its own.
 */
function readsByTurn(client: DynamoDBDocumentClient, tableOf: (key: Key) => string) {
  const read = async (keys: readonly Key[]): Promise<ReadonlyMap<string, Item>> => {
    const [only] = keys;
    if (only === undefined) return new Map();
    if (keys.length === 1) {
      const { pk, sk } = only;
      const input = { TableName: tableOf(only), Key: { pk, sk }, ConsistentRead: true };
      const { Item: item } = await client.send(new GetCommand(input));
      return new Map(item === undefined ? [] : [[keyText(only), item as Item]]);
    }
    const found = new Map<string, Item>();
    for (let from = 0; from < keys.length; from += MAX_KEYS) {
      for (const item of await readBatch(client, keys.slice(from, from + MAX_KEYS), tableOf))
        found.set(keyText(item), item);
    }
    return found;
  };
  let turn: { readonly keys: Map<string, Key>; readonly found: Promise<ReadonlyMap<string, Item>> } | undefined;
  const begin = () => {
    const keys = new Map<string, Key>();
    const found = Promise.resolve().then(() => {
      turn = undefined;
      return read([...keys.values()]);
    });
    return { keys, found };
  };
  return {
    async ask(keys: readonly Key[]): Promise<ReadonlyMap<string, Item>> {
      // A read of a table that this function does not have fails without affecting other reads.
      for (const key of keys) tableOf(key);
      turn ??= begin();
      for (const key of keys) turn.keys.set(keyText(key), key);
      return turn.found;
    },
  };
}

/** One batch of reads, with what DynamoDB left unprocessed (16 MB are reached, or it throttles) asked for again. */
async function readBatch(
  client: DynamoDBDocumentClient,
  keys: readonly Key[],
  tableOf: (key: Key) => string,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let asked: NonNullable<BatchGetCommandInput['RequestItems']> = {};
  for (const { pk, sk } of keys)
    (asked[tableOf({ pk, sk })] ??= { ConsistentRead: true, Keys: [] }).Keys?.push({ pk, sk });
  for (let attempt = 1; ; attempt += 1) {
    const output = await client.send(new BatchGetCommand({ RequestItems: asked }));
    const got = Object.values(output.Responses ?? {}).flat() as Item[];
    items.push(...got);
    asked = output.UnprocessedKeys ?? {};
    const left = Object.values(asked).reduce((sum, { Keys = [] }) => sum + Keys.length, 0);
    if (left === 0) return items;
    // Whoever gets something gets on: a batch may be larger than what one answer holds.
    if (got.length > 0) attempt = 0;
    else if (attempt === ATTEMPTS) throw busy(new Error(`${left} keys stayed unread`));
    else await backOff(attempt);
  }
}

function rangeExpression(range: { readonly from?: string; readonly to?: string }): string {
  if (range.from !== undefined && range.to !== undefined) return ' AND #sk BETWEEN :from AND :to';
  if (range.from !== undefined) return ' AND #sk >= :from';
  return range.to === undefined ? '' : ' AND #sk <= :to';
}

type Action = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

function action(write: Write, table: string): Action {
  const condition = write.condition === undefined ? {} : conditionExpression(write.condition);
  if (write.kind === 'put') return { Put: { TableName: table, Item: { ...write.item }, ...condition } };
  return {
    ConditionCheck: {
      TableName: table,
      Key: { pk: write.key.pk, sk: write.key.sk },
      ...conditionExpression(write.condition),
    },
  };
}

function conditionExpression(condition: Condition): {
  ConditionExpression: string;
  ExpressionAttributeNames: Record<string, string>;
  ExpressionAttributeValues?: Record<string, string | number | boolean | null>;
} {
  if (condition.kind === 'absent') {
    return { ConditionExpression: 'attribute_not_exists(#pk)', ExpressionAttributeNames: { '#pk': 'pk' } };
  }
  const entries = Object.entries(condition.values);
  const equal = entries.map((_, index) => `#n${index} = :v${index}`).join(' AND ');
  const isOptional = condition.kind === 'absent-or-equals';
  return {
    ConditionExpression: isOptional ? `attribute_not_exists(#pk) OR (${equal})` : equal,
    ExpressionAttributeNames: {
      ...(isOptional ? { '#pk': 'pk' } : {}),
      ...Object.fromEntries(entries.map(([name], index) => [`#n${index}`, name])),
    },
    ExpressionAttributeValues: Object.fromEntries(entries.map(([, value], index) => [`:v${index}`, value])),
  };
}

/** The keys whose conditions did not hold, if that is all that went wrong. */
function failedConditions(error: unknown, writes: readonly Write[]): Key[] | undefined {
  if (!(error instanceof TransactionCanceledException)) return undefined;
  const failed = (error.CancellationReasons ?? []).flatMap((reason, index) => {
    const write = writes[index];
    return reason.Code === 'ConditionalCheckFailed' && write !== undefined ? [keyOf(write)] : [];
  });
  return failed.length > 0 ? failed : undefined;
}

function isRetryable(error: unknown): boolean {
  if (error instanceof TransactionInProgressException) return true;
  if (!(error instanceof TransactionCanceledException)) return false;
  return (error.CancellationReasons ?? []).some((reason) => RETRYABLE.has(reason.Code ?? ''));
}
