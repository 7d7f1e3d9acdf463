import { GatehouseError } from './error.ts';

/** The most bytes of one item of DynamoDB. Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
export const ITEM_BYTES = 400 * 1024;
/** The most bytes of a partition key and of a sort key. Source: the same. */
export const PARTITION_KEY_BYTES = 2048;
export const SORT_KEY_BYTES = 1024;
/**
 * The most bytes of a message to SNS or SQS, of an event to EventBridge, and of an input or output in Step Functions.
 * Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html and each service's own quotas
 */
export const MESSAGE_BYTES = 256 * 1024;

/**
 * The bytes of an item as DynamoDB counts them: names and texts in UTF-8, a number at most 21, one for each value of a list or
 * map and three for the list or map itself.
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemBytes(item: Readonly<Record<string, unknown>>): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return Math.min(21, Math.ceil(String(value).replace(/\D/g, '').length / 2) + 2);
  if (value === null || typeof value !== 'object') return 1;
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + 1 + valueBytes(each), 3);
  return Object.values(value).length + 3 + itemBytes(value as Readonly<Record<string, unknown>>);
}

/** Why DynamoDB would refuse an item's key, or undefined. */
export function whyNotKey({ pk, sk }: { readonly pk: string; readonly sk: string }): string | undefined {
  for (const [name, value, most] of [
    ['pk', pk, PARTITION_KEY_BYTES],
    ['sk', sk, SORT_KEY_BYTES],
  ] as const) {
    const bytes = Buffer.byteLength(value);
    if (bytes === 0) return `${name} is empty`;
    if (bytes > most) return `${name} has ${bytes} bytes, at most ${most}: ${value.slice(0, 80)}...`;
  }
  return undefined;
}

/** The smallest number that is no 0 for DynamoDB; above 2^53 its client takes none. Source: the page on `ITEM_BYTES`. */
const SMALLEST_NUMBER = 1e-130;

/** The first number of an item that DynamoDB would refuse, or undefined. */
export function badNumber(value: unknown): number | undefined {
  if (typeof value === 'number') {
    const size = Math.abs(value);
    const isFit = size === 0 || (size >= SMALLEST_NUMBER && size <= Number.MAX_SAFE_INTEGER);
    return isFit ? undefined : value;
  }
  if (value === null || typeof value !== 'object') return undefined;
  for (const each of Object.values(value)) {
    const bad = badNumber(each);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

/** Refuses an item that DynamoDB refuses, as both adapters do. @throws GatehouseError `KEY_TOO_LONG`, `ITEM_TOO_LARGE`, `BAD_NUMBER` */
export function checkItem(item: { readonly pk: string; readonly sk: string }): void {
  const why = whyNotKey(item);
  if (why !== undefined) throw new GatehouseError('KEY_TOO_LONG', why);
  const number = badNumber(item);
  if (number !== undefined) throw new GatehouseError('BAD_NUMBER', `${item.pk} ${item.sk} has the number ${number}`);
  const bytes = itemBytes({ ...item });
  if (bytes > ITEM_BYTES)
    throw new GatehouseError('ITEM_TOO_LARGE', `${item.pk} ${item.sk} has ${bytes} bytes, at most ${ITEM_BYTES}`, {
      bytes,
    });
}

/** A message as text, of a size that its service takes. @throws GatehouseError `MESSAGE_TOO_LARGE` */
export function messageText(what: string, message: unknown): string {
  return checkedMessage(what, JSON.stringify(message));
}

/** The same of a message that is a text already. @throws GatehouseError `MESSAGE_TOO_LARGE` */
export function checkedMessage(what: string, text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes > MESSAGE_BYTES)
    throw new GatehouseError('MESSAGE_TOO_LARGE', `${what} has ${bytes} bytes, at most ${MESSAGE_BYTES}`, { bytes });
  return text;
}
