import type { AuditRecord } from '#domain/audit/chain.ts';
import { canonicalJson, type Digest } from '#domain/canonical/digest.ts';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { publishedPointerOf } from '#domain/promotion/published-pointer.ts';
import { type Envelope, keyIdOf, PAYLOAD_TYPES, preAuthenticationEncoding } from '#domain/signature/dsse.ts';
import type { Announcements } from '#ports/announcements.ts';
import type { PublishedRecords } from '#ports/published-records.ts';
import type { Signer } from '#ports/signer.ts';
import { followRecords } from '#read-model/chain.ts';
import { findPublished } from '#read-model/cursors.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';
import { each, type Fault, throwFaults } from '#use-cases/each.ts';
import { type Alerting, alertPeople } from './alert-people.ts';

export interface Publishing extends Alerting {
  readonly signer: Signer;
  readonly published: PublishedRecords;
  readonly announcements: Announcements;
}

/** How far the publication of a model has come. */
interface Published {
  readonly model: string;
  readonly published: number;
  readonly upTo: number;
  readonly alerted: number;
}

/**
 * Tells people, and publishes, what the chains of some models say beyond their cursors. Neither waits for the other, and
 * no model for another: each has its share of the time that is left, and what is not done then the next invocation does.
 * @throws GatehouseError `ITEMS_FAILED` when all are done
 */
export async function publishModels(
  deps: Publishing,
  models: readonly string[],
  until?: Date,
): Promise<readonly Published[]> {
  const faults: Fault[] = [];
  const results: Published[] = [];
  for (const [index, model] of models.entries()) {
    const now = deps.clock.now().getTime();
    const share = until && new Date(now + (until.getTime() - now) / (models.length - index));
    let result = { model, published: 0, upTo: -1, alerted: 0 };
    const named = (what: string) => ({ item: `${what} of ${model}`, model });
    await each(faults, ['alerts'], named, async () => {
      result = { ...result, ...(await alertPeople(deps, model, share)) };
    });
    await each(faults, ['publication'], named, async () => {
      result = { ...result, ...(await publishRecords(deps, model, share)) };
    });
    results.push(result);
  }
  throwFaults(faults, { results });
  return results;
}

/**
 * Publishes what a model's chain says beyond the cursor: signed, in order, at least once, at least one record and then
 * as many as there is time for. The ledger is the outbox, so a lost stream event delays a record and never loses it.
 */
async function publishRecords(
  deps: Publishing,
  model: string,
  until?: Date,
): Promise<{ readonly published: number; readonly upTo: number }> {
  const cursorKey = keys.cursor('published', model);
  const cursor = await findPublished(deps.ledger, model);
  const from = cursor ?? -1;
  const pem = await deps.signer.publicKeyPem();
  if (cursor === undefined) await deps.published.publishKey(pem);
  const claim = deps.newClaim();
  let upTo = from;
  for await (const { record, hash } of followRecords(deps.ledger, model, from + 1)) {
    await publish(deps, pem, record, hash);
    const condition = cursor === undefined && upTo === from ? ABSENT : equals({ seq: upTo });
    const moved = await writeUnaudited(
      deps.ledger,
      [{ kind: 'put', item: { ...cursorKey, seq: record.seq }, condition }],
      operationName('p', model, upTo, record.seq, claim),
    );
    // Another publisher is at it and has come further: the rest is left to it.
    if (moved.kind === 'condition-failed') break;
    upTo = record.seq;
    if (until !== undefined && !(deps.clock.now() < until)) break;
  }
  return { published: upTo - from, upTo };
}

/** Shows a record to the peers, and tells them and this environment's own rules of it. All of it may be done again. */
async function publish(deps: Publishing, pem: string, record: AuditRecord, hash: Digest): Promise<void> {
  await deps.published.publishRecord(record.model, {
    seq: record.seq,
    envelope: await sealed(deps.signer, pem, PAYLOAD_TYPES.auditRecord, record),
  });
  const pointer = publishedPointerOf(record, hash);
  if (pointer !== undefined) {
    await deps.published.publishPointer(record.model, {
      seq: pointer.seq,
      envelope: await sealed(deps.signer, pem, PAYLOAD_TYPES.pointer, pointer),
    });
  }
  await deps.announcements.announce(record);
  await deps.announcements.emit(record);
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
