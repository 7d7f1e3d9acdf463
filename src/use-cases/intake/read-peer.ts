import { fitting } from '#domain/audit/fitting.ts';
import { AuditRecord, EMPTY_CHAIN, followChain, type ChainHead } from '#domain/audit/chain.ts';
import { Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { ABSENT, equals, type Item, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { keyIdOf, openEnvelope, PAYLOAD_TYPES } from '#domain/signature/dsse.ts';
import type { PeerRecords } from '#ports/published-records.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

export interface PeerReading extends Recording {
  readonly peers: PeerRecords;
}

/** What is done about a peer's record here. It must be harmless when it is done again. */
export type RecordHandler = (record: AuditRecord, hash: Digest) => Promise<void>;

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
  let cursor = await trusted(deps, environment, model, keyIdOf(pem));
  if (cursor === undefined) return { read: 0, upTo: -1 };
  const before = Number(cursor['seq']);
  let head: ChainHead = before < 0 ? EMPTY_CHAIN : { seq: before, hash: Digest.parse(cursor['hash']) };
  for (const { seq, envelope } of await deps.peers.recordsAfter(environment, model, before)) {
    const opened = open(envelope, pem, environment, model, head);
    if ('refused' in opened) {
      await refuse(deps, environment, model, seq, opened.refused, opened.found);
      break;
    }
    await handle(opened.record, opened.head.hash);
    const next: Item = { ...cursor, seq: opened.head.seq, hash: opened.head.hash };
    const moved = await deps.ledger.transact(
      [{ kind: 'put', item: next, condition: equals({ seq: head.seq }) }],
      operationName('c', environment, model, opened.head.seq),
    );
    if (moved.kind === 'condition-failed') break;
    cursor = next;
    head = opened.head;
  }
  return { read: head.seq - before, upTo: head.seq };
}

type Opened =
  | { readonly record: AuditRecord; readonly head: ChainHead }
  | { readonly refused: string; readonly found: string };

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

/** The cursor of a peer's chain, made at first contact together with the pin of the peer's key; undefined when the key has changed since. */
async function trusted(
  deps: PeerReading,
  environment: string,
  model: string,
  keyid: string,
): Promise<Item | undefined> {
  const key = keys.cursor(`peer-${environment}`, model);
  const cursor = await deps.ledger.get(key);
  if (cursor === undefined) {
    const first: Item = { ...key, seq: -1, hash: EMPTY_CHAIN.hash, keyid };
    const pin: Write = { kind: 'put', item: first, condition: ABSENT };
    await recordChange(deps, {
      model,
      operation: operationName('trust', environment, model),
      writes: [pin],
      event: { code: 'PEER_TRUSTED', actor: 'pipeline:intake', release: null, details: { peer: environment, keyid } },
    });
    return deps.ledger.get(key);
  }
  if (cursor['keyid'] === keyid) return cursor;
  await refuse(
    deps,
    environment,
    model,
    Number(cursor['seq']) + 1,
    'peer-key-pinned',
    `the published key is now ${keyid}`,
  );
  return undefined;
}

async function refuse(
  deps: Recording,
  peer: string,
  model: string,
  seq: number,
  rule: string,
  found: string,
): Promise<void> {
  await recordChange(deps, {
    model,
    operation: operationName('refuse', peer, model, seq, rule),
    writes: [],
    event: {
      code: 'PEER_REFUSED',
      actor: 'pipeline:intake',
      release: null,
      details: { peer, seq, rule, found: fitting([found], 1, 1200).join('') },
    },
  });
}
