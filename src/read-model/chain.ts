import { type AuditRecord, type ChainHead, EMPTY_CHAIN, recordOf } from '#domain/audit/chain.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Item } from '#domain/ledger/item.ts';
import { CHAIN_BUCKET, keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';

/** A record of a chain with the hash that names it. */
export interface HashedRecord {
  readonly record: AuditRecord;
  readonly hash: Digest;
}

/** The end of a model's chain, as the ledger has it; undefined where nothing was recorded yet. */
export async function findChainHead(ledger: ReadableLedger, model: string): Promise<ChainHead | undefined> {
  return placeIn(await ledger.get(keys.chainHead(model)));
}

/** The end of a model's chain, which may be empty. */
export async function readChainHead(ledger: ReadableLedger, model: string): Promise<ChainHead> {
  return (await findChainHead(ledger, model)) ?? EMPTY_CHAIN;
}

/** Where an operation was recorded; undefined where it was not done. */
export async function findOperation(
  ledger: ReadableLedger,
  model: string,
  operation: string,
): Promise<ChainHead | undefined> {
  return placeIn(await ledger.get(keys.operation(model, operation)));
}

/** Where an operation was recorded, if it was, and the end of its chain: one call, because each change begins with it. */
export async function findOperationAndHead(
  ledger: ReadableLedger,
  model: string,
  operation: string,
): Promise<{ readonly done: ChainHead | undefined; readonly head: ChainHead }> {
  const [done, head] = await ledger.getMany([keys.operation(model, operation), keys.chainHead(model)]);
  return { done: placeIn(done), head: placeIn(head) ?? EMPTY_CHAIN };
}

/** The items of a model's chain from a number on, in order, whatever its head says; a bucket of them is read at a time. */
export async function* followItems(ledger: ReadableLedger, model: string, from = 0): AsyncGenerator<Item> {
  for (let bucket = Math.floor(Math.max(0, from) / CHAIN_BUCKET); ; bucket += 1) {
    const first = keys.chainRecord(model, Math.max(from, bucket * CHAIN_BUCKET)).sk;
    const items = await ledger.query(keys.chainBucket(model, bucket), { from: first });
    yield* items;
    if (items.at(-1)?.sk !== keys.chainRecord(model, (bucket + 1) * CHAIN_BUCKET - 1).sk) return;
  }
}

/**
 * The records of a model's chain from a number to the head, in order; what is recorded meanwhile is left to the next reading.
 * @throws GatehouseError `RECORD_VANISHED` where the chain ends before its head
 */
export async function* followRecords(ledger: ReadableLedger, model: string, from = 0): AsyncGenerator<HashedRecord> {
  const head = await readChainHead(ledger, model);
  if (from > head.seq) return;
  for await (const item of followItems(ledger, model, from)) {
    const found = recordOf(item);
    if (found.record.seq <= head.seq) yield found;
    if (found.record.seq >= head.seq) return;
  }
  throw new GatehouseError('RECORD_VANISHED', `the chain of ${model} ends before its head, record ${head.seq}`, {
    model,
  });
}

/** The records of a model's chain from a number on, in order, whatever its head says. */
export async function readRecords(ledger: ReadableLedger, model: string, from = 0): Promise<readonly HashedRecord[]> {
  return Array.fromAsync(followItems(ledger, model, from), recordOf);
}

/** A record by its number. */
export async function findRecord(ledger: ReadableLedger, model: string, seq: number): Promise<AuditRecord | undefined> {
  const item = await ledger.get(keys.chainRecord(model, seq));
  return item === undefined ? undefined : recordOf(item).record;
}

/** The record of an operation; undefined where it was not done. */
export async function findRecordOf(
  ledger: ReadableLedger,
  model: string,
  operation: string,
): Promise<AuditRecord | undefined> {
  const done = await findOperation(ledger, model, operation);
  return done && findRecord(ledger, model, done.seq);
}

/** Whether anything was ever recorded of a model. */
export async function hasChain(ledger: ReadableLedger, model: string): Promise<boolean> {
  return (await ledger.query(keys.chainBucket(model, 0), { limit: 1 })).length > 0;
}

function placeIn(item: Item | undefined): ChainHead | undefined {
  return item === undefined ? undefined : { seq: Number(item['seq']), hash: Digest.parse(item['hash']) };
}
