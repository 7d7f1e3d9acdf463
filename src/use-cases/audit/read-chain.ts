import { type AuditRecord, recordOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { CHAIN_BUCKET, keys } from '#domain/ledger/keys.ts';
import type { Ledger } from '#ports/ledger.ts';
import { chainHead } from './record-change.ts';

/** The records of a model's chain from a number to the head, in order. */
export async function chainRecords(
  ledger: Ledger,
  model: string,
  from: number,
): Promise<readonly { readonly record: AuditRecord; readonly hash: Digest }[]> {
  const head = await chainHead(ledger, model);
  const records: { record: AuditRecord; hash: Digest }[] = [];
  for (let bucket = Math.floor(Math.max(0, from) / CHAIN_BUCKET); bucket * CHAIN_BUCKET <= head.seq; bucket += 1) {
    const first = keys.chainRecord(model, Math.max(from, bucket * CHAIN_BUCKET)).sk;
    const items = await ledger.query(keys.chainBucket(model, bucket), { from: first });
    records.push(...items.map(recordOf));
  }
  return records.filter(({ record }) => record.seq <= head.seq);
}
