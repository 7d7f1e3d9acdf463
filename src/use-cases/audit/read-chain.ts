import { type AuditRecord, recordOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { CHAIN_BUCKET, keys } from '#domain/ledger/keys.ts';
import type { Ledger } from '#ports/ledger.ts';
import { chainHead } from './record-change.ts';

/** A record of a chain with its hash. */
interface HashedRecord {
  readonly record: AuditRecord;
  readonly hash: Digest;
}

/** The records of a model's chain from a number to the head, in order; no more than a bucket of them is read at a time. */
export async function* followRecords(ledger: Ledger, model: string, from: number): AsyncGenerator<HashedRecord> {
  const head = await chainHead(ledger, model);
  for (let bucket = Math.floor(Math.max(0, from) / CHAIN_BUCKET); bucket * CHAIN_BUCKET <= head.seq; bucket += 1) {
    const first = keys.chainRecord(model, Math.max(from, bucket * CHAIN_BUCKET)).sk;
    const items = await ledger.query(keys.chainBucket(model, bucket), { from: first });
    for (const item of items) {
      const found = recordOf(item);
      if (found.record.seq <= head.seq) yield found;
    }
  }
}

/** The records of a model's chain from a number to the head, in order. */
export async function chainRecords(ledger: Ledger, model: string, from: number): Promise<readonly HashedRecord[]> {
  return Array.fromAsync(followRecords(ledger, model, from));
}
