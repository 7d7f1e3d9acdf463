import { truncated } from '#domain/audit/truncated.ts';
import { AuditRecord, EMPTY_CHAIN, followChain, type ChainHead } from '#domain/audit/chain.ts';
import { Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { keyIdOf, openEnvelope, PAYLOAD_TYPES } from '#domain/signature/dsse.ts';
import type { PeerRecords } from '#ports/published-records.ts';
import { findPeerCursor, findPinnedKey } from '#read-model/cursors.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

export interface PeerReading extends Recording {
  readonly peers: PeerRecords;
}

/** What is done about a peer's record here. It must be harmless when it is done again. */
export type RecordHandler = (record: AuditRecord, hash: Digest, readAlso: ReadAlso) => Promise<void>;

/** Reads what another peer says of the same model: a record may come before the one that it rests on. */
export type ReadAlso = (environment: string) => Promise<unknown>;

/**
 * Follows a peer's published chain from where the last reading ended: verifies each signature and that nothing is
 * missing between, hands each record to the handler, and only then moves the cursor. A lost announcement costs time.
 */
export async function readPeer(
  deps: PeerReading,
  environment: string,
  model: string,
  handle: RecordHandler,
): Promise<{ readonly read: number; readonly upTo: number }> {
  const pem = await deps.peers.publicKeyPem(environment);
  if (pem === undefined) return { read: 0, upTo: -1 };
  const key = keys.cursor(`peer-${environment}`, model);
  const cursor = await findPeerCursor(deps.ledger, environment, model);
  let head = cursor ?? EMPTY_CHAIN;
  const before = head.seq;
  if (!(await isTrusted(deps, environment, model, keyIdOf(pem), before + 1))) return { read: 0, upTo: -1 };
  for (const { seq, envelope } of await deps.peers.recordsAfter(environment, model, before)) {
    const opened = open(envelope, pem, environment, model, head);
    if ('refused' in opened) {
      await refuse(deps, environment, model, seq, opened.refused, opened.found);
      break;
    }
    await handle(opened.record, opened.head.hash, (other) => readPeer(deps, other, model, handle));
    const condition = cursor === undefined && head.seq === before ? ABSENT : equals({ seq: head.seq });
    const moved = await writeUnaudited(
      deps.ledger,
      [{ kind: 'put', item: { ...key, ...opened.head }, condition }],
      // A reader that lost its place goes over the same records from another beginning: that is another body.
      operationName('c', environment, model, opened.head.seq, JSON.stringify(condition)),
    );
    if (moved.kind === 'condition-failed') break;
    head = opened.head;
  }
  return { read: head.seq - before, upTo: head.seq };
}

type Opened =
  | { readonly record: AuditRecord; readonly head: ChainHead }
  | { readonly refused: Refusal['rule']; readonly found: string };

function open(
  envelope: Parameters<typeof openEnvelope>[0],
  pem: string,
  environment: string,
  model: string,
  head: ChainHead,
): Opened {
  try {
    const payload = openEnvelope(envelope, PAYLOAD_TYPES.auditRecord, pem);
    const record = parseCanonical(AuditRecord, payload, 'published audit record');
    if (record.environment !== environment || record.model !== model) {
      return { refused: 'record-of-peer', found: `record of ${record.environment}/${record.model}` };
    }
    const followed = followChain(head, [{ record, hash: digestOf(payload) }]);
    return 'broken' in followed
      ? { refused: 'chain-unbroken', found: followed.broken }
      : { record, head: followed.head };
  } catch (error) {
    if (error instanceof GatehouseError) return { refused: 'record-signed', found: error.message };
    throw error;
  }
}

/**
 * Whether the key that a peer shows is the one that was pinned. At first contact it is pinned, for every model: a model
 * that is deployed later trusts no other key.
 */
async function isTrusted(
  deps: PeerReading,
  environment: string,
  model: string,
  keyid: string,
  next: number,
): Promise<boolean> {
  const key = keys.peer(environment);
  const pinned = await findPinnedKey(deps.ledger, environment);
  if (pinned === keyid) return true;
  if (pinned !== undefined) {
    await refuse(deps, environment, model, next, 'peer-key-pinned', `the published key is now ${keyid}`);
    return false;
  }
  const result = await recordChange(deps, {
    model,
    operation: operationName('trust', environment, model),
    writes: [{ kind: 'put', item: { ...key, keyid, model }, condition: ABSENT }],
    event: { code: 'PEER_KEY_PINNED', actor: 'pipeline:intake', release: null, details: { peer: environment, keyid } },
  });
  // Another reading pinned a key at the same time: the next one is compared with it.
  return result.kind === 'recorded';
}

async function refuse(
  deps: Recording,
  peer: string,
  model: string,
  seq: number,
  rule: Refusal['rule'],
  found: string,
): Promise<void> {
  await recordChange(deps, {
    model,
    operation: operationName('refuse', peer, model, seq, rule),
    writes: [],
    event: {
      code: 'PEER_VERIFICATION_FAILED',
      actor: 'pipeline:intake',
      release: null,
      details: { peer, seq, rule, found: truncated([found], 1, 1200).join('') },
    },
  });
}
