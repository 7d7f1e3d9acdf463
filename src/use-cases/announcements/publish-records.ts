import { chainRecords } from '#use-cases/audit/read-chain.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import type { AuditRecord } from '#domain/audit/chain.ts';
import { isAlerting } from '#domain/audit/events.ts';
import { canonicalJson } from '#domain/canonical/digest.ts';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { publishedPointerOf } from '#domain/promotion/published-pointer.ts';
import { type Envelope, keyIdOf, PAYLOAD_TYPES, preAuthenticationEncoding } from '#domain/signature/dsse.ts';
import type { Announcements } from '#ports/announcements.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { PublishedRecords } from '#ports/published-records.ts';
import type { Signer } from '#ports/signer.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

export interface Publishing {
  readonly ledger: Ledger;
  readonly signer: Signer;
  readonly published: PublishedRecords;
  readonly announcements: Announcements;
}

/**
 * Publishes what a model's chain says beyond the cursor: signed, in order, at least once. The ledger is the outbox, so
 * a lost stream event delays a record and never loses it.
 */
export async function publishRecords(
  deps: Publishing,
  model: string,
): Promise<{ readonly published: number; readonly upTo: number }> {
  const cursorKey = keys.cursor('published', model);
  const cursor = await deps.ledger.get(cursorKey);
  const from = cursor === undefined ? -1 : Number(cursor['seq']);
  const pem = await deps.signer.publicKeyPem();
  if (cursor === undefined) await deps.published.publishKey(pem);
  let upTo = from;
  for (const { record, hash } of await chainRecords(deps.ledger, model, from + 1)) {
    await deps.published.publishRecord(model, {
      seq: record.seq,
      envelope: await sealed(deps.signer, pem, PAYLOAD_TYPES.auditRecord, record),
    });
    const pointer = publishedPointerOf(record, hash);
    if (pointer !== undefined) {
      await deps.published.publishPointer(model, {
        seq: pointer.seq,
        envelope: await sealed(deps.signer, pem, PAYLOAD_TYPES.pointer, pointer),
      });
    }
    await deps.announcements.announce(record);
    await deps.announcements.emit(record);
    if (needsAttention(record)) await deps.announcements.alert(record);
    upTo = record.seq;
  }
  if (upTo > from) {
    const condition = cursor === undefined ? ABSENT : equals({ seq: from });
    // Another publisher may have come further in the meantime: then its cursor stands.
    await writeUnaudited(
      deps.ledger,
      [{ kind: 'put', item: { ...cursorKey, seq: upTo }, condition }],
      operationName('p', model, from, upTo),
    );
  }
  return { published: upTo - from, upTo };
}

/** Whether people are told of a record. */
export function needsAttention(record: AuditRecord): boolean {
  return isAlerting(record.code, record.details);
}

async function sealed(signer: Signer, pem: string, payloadType: string, document: object): Promise<Envelope> {
  const payload = new TextEncoder().encode(canonicalJson(document));
  const signature = await signer.sign(preAuthenticationEncoding(payloadType, payload));
  return {
    payloadType,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: keyIdOf(pem), sig: Buffer.from(signature).toString('base64') }],
  };
}
