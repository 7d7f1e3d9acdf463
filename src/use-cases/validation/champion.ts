import type { Digest } from '#domain/canonical/digest.ts';
import { parseCanonical } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { PublishedPointer } from '#domain/promotion/published-pointer.ts';
import { keyIdOf, openEnvelope, PAYLOAD_TYPES } from '#domain/signature/dsse.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { PeerRecords } from '#ports/published-records.ts';
import { findPinnedKey, findSeenPointer } from '#read-model/cursors.ts';
import { readRegistrations } from '#read-model/registrations.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

/**
 * The release that candidates have to beat: what prod's newest signed pointer names, or the model's baseline while prod
 * has never shown one. Once a pointer was seen, none and a lower one are faults: somebody hides something.
 */
export async function championOf(
  deps: { readonly ledger: Ledger; readonly peers: PeerRecords },
  environment: string,
  model: string,
): Promise<Digest> {
  const seen = await findSeenPointer(deps.ledger, environment, model);
  const shown = await deps.peers.newestPointer(environment, model);
  if (shown === undefined) {
    if (seen !== undefined)
      throw new GatehouseError('POINTER_HIDDEN', `${environment} no longer shows a pointer of ${model}`, { model });
    return baselineOf(deps.ledger, model);
  }
  const pem = await deps.peers.publicKeyPem(environment);
  if (pem === undefined) throw new GatehouseError('NO_PEER_KEY', `${environment} shows no public key`, { environment });
  const pinned = await findPinnedKey(deps.ledger, environment);
  if (pinned === undefined)
    throw new GatehouseError('PEER_NOT_TRUSTED', `no key of ${environment} is pinned yet; its chain was not read`, {
      environment,
    });
  if (pinned !== keyIdOf(pem)) {
    throw new GatehouseError('PEER_KEY_CHANGED', `the key of ${environment} is not the one that was pinned`, {
      environment,
    });
  }
  const pointer = parseCanonical(
    PublishedPointer,
    openEnvelope(shown.envelope, PAYLOAD_TYPES.pointer, pem),
    'published pointer',
  );
  const seenSeq = seen ?? 0;
  if (
    pointer.environment !== environment ||
    pointer.model !== model ||
    pointer.seq !== shown.seq ||
    pointer.seq < seenSeq
  ) {
    throw new GatehouseError(
      'POINTER_REGRESSED',
      `${environment} shows pointer ${pointer.seq} of ${pointer.model}; ${seenSeq} was seen`,
      { model },
    );
  }
  if (pointer.seq > seenSeq) {
    const condition = seen === undefined ? ABSENT : equals({ seq: seenSeq });
    await writeUnaudited(
      deps.ledger,
      [{ kind: 'put', item: { ...keys.cursor(`pointer-${environment}`, model), seq: pointer.seq }, condition }],
      operationName('s', environment, model, seenSeq, pointer.seq),
    );
  }
  return pointer.release;
}

/** The model's baseline, where prod has shown no pointer. @throws GatehouseError `NO_BASELINE` */
export async function baselineOf(ledger: Ledger, model: string): Promise<Digest> {
  // A later one replaces one that can never be served.
  const baseline = (await readRegistrations(ledger, model)).find(({ kind }) => kind === 'baseline');
  if (baseline === undefined) throw new GatehouseError('NO_BASELINE', `${model} has no baseline`, { model });
  return baseline.release;
}
