import { canonicalJson, type Digest, digestOf, parseDocument } from '#domain/canonical/digest.ts';
import { recordOf } from '#domain/audit/chain.ts';
import type { FindingKind } from '#domain/supervision/finding.ts';
import { AggregatesList } from '#domain/prediction/aggregates.ts';
import { publishedPointerOf } from '#domain/promotion/published-pointer.ts';
import { openManifest } from '#domain/release/manifest.ts';
import { Envelope, openEnvelope, PAYLOAD_TYPES } from '#domain/signature/dsse.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import type { StoredBytes, StoredPlace } from '#ports/stored-bytes.ts';
import { followItems } from '#read-model/chain.ts';
import { messageOf } from '#use-cases/each.ts';
import type { StoredUnit } from './stored-units.ts';

/** An object that was looked at: `kind` null where it is whole. */
export interface Looked {
  readonly object: string;
  readonly kind: FindingKind | null;
  readonly found: string;
  readonly affects: readonly string[];
}

interface InspectingStored {
  readonly ledger: ReadableLedger;
  readonly stored: StoredBytes;
}

/** Hashes the objects of a unit, one after the other. What was stored by the pipeline can be read: what cannot is a finding. */
export async function* inspectStored({ ledger, stored }: InspectingStored, unit: StoredUnit): AsyncGenerator<Looked> {
  switch (unit.kind) {
    case 'release': {
      const manifest = yield* openUnit(stored, unit.release, `manifest of ${unit.release}`, unit.affects, openManifest);
      for (const { path, sha256 } of manifest?.files ?? [])
        yield await hashed(
          stored,
          { kind: 'release', digest: sha256 },
          `${path} of ${unit.release}`,
          unit.affects,
          sha256,
        );
      return;
    }
    case 'predictions': {
      const { day, object, features } = unit.manifest;
      const affects = [`predictions of ${day}`];
      yield await hashed(
        stored,
        { kind: 'object', key: object.key },
        object.key,
        affects,
        object.sha256,
        object.versionId,
      );
      const built = { kind: 'built', built: 'features', model: unit.model, digest: features } as const;
      yield await hashed(stored, built, `features ${features}`, [`features of ${day}`]);
      return;
    }
    case 'aggregates': {
      const affects = ['daily aggregates that endpoints load'];
      const list = yield* openUnit(
        stored,
        unit.list,
        `list of aggregates ${unit.list}`,
        affects,
        (bytes) => parseDocument(AggregatesList, JSON.parse(new TextDecoder().decode(bytes)), 'list of aggregates'),
        'document',
      );
      for (const { day, digest } of list?.days ?? []) {
        const built = { kind: 'built', built: 'daily', model: unit.model, digest } as const;
        yield await hashed(stored, built, `daily aggregates ${digest}`, [`aggregates of ${day}`]);
      }
      return;
    }
    case 'records':
      yield* inspectRecords({ ledger, stored }, unit);
  }
}

/** Compares an object with the hash that the ledger names, or else with the one that it was stored with. */
async function hashed(
  stored: StoredBytes,
  place: StoredPlace,
  object: string,
  affects: readonly string[],
  expected?: Digest,
  versionId?: string,
): Promise<Looked> {
  const is = await stored.hash(place);
  if (is === undefined) return { object, affects, kind: 'missing', found: 'there is no such object' };
  const wanted = expected ?? is.storedAs;
  if (is.sha256 !== wanted)
    return {
      object,
      affects,
      kind: 'differs',
      found: `it hashes to ${is.sha256}, not to ${wanted ?? 'what it should say itself'}`,
    };
  if (versionId !== undefined && versionId !== is.versionId)
    return { object, affects, kind: 'differs', found: `it is version ${is.versionId}, not ${versionId}` };
  return { object, affects, kind: null, found: '' };
}

/** Looks at a document that names other objects, and reads it where it is whole. */
async function* openUnit<T>(
  stored: StoredBytes,
  digest: Digest,
  object: string,
  affects: readonly string[],
  open: (bytes: Uint8Array) => T,
  kind: 'release' | 'document' = 'release',
): AsyncGenerator<Looked, T | undefined> {
  const bytes = await stored.bytes({ kind, digest });
  if (bytes === undefined) {
    yield { object, affects, kind: 'missing', found: 'there is no such object' };
    return undefined;
  }
  const is = digestOf(bytes);
  if (is !== digest) {
    yield { object, affects, kind: 'differs', found: `it hashes to ${is}` };
    return undefined;
  }
  yield { object, affects, kind: null, found: '' };
  return open(bytes);
}

/** Compares published records, and the pointers that they made, with the chain; and each with its signature. */
async function* inspectRecords(
  { ledger, stored }: InspectingStored,
  { model, from, to }: Extract<StoredUnit, { kind: 'records' }>,
): AsyncGenerator<Looked> {
  const pem = await stored.publicKeyPem();
  const key = { object: 'keys/signing.pem', affects: ['every published record'] };
  if (pem === undefined) {
    yield { ...key, kind: 'missing', found: 'there is no such object' };
    return;
  }
  yield { ...key, kind: null, found: '' };
  for await (const item of followItems(ledger, model, from)) {
    const { record, hash } = recordOf(item);
    if (record.seq > to) return;
    const affects = [`record ${record.seq}, for the environments that follow`];
    const chain = await stored.published('chain', model, record.seq);
    yield { object: `record ${record.seq}`, affects, ...signedAs(chain, PAYLOAD_TYPES.auditRecord, pem, record) };
    const pointer = publishedPointerOf(record, hash);
    if (pointer === undefined) continue;
    const shown = await stored.published('pointers', model, pointer.seq);
    yield { object: `pointer ${pointer.seq}`, affects, ...signedAs(shown, PAYLOAD_TYPES.pointer, pem, pointer) };
  }
}

function signedAs(
  text: string | undefined,
  type: string,
  pem: string,
  document: object,
): Pick<Looked, 'kind' | 'found'> {
  if (text === undefined) return { kind: 'missing', found: 'there is no such object' };
  try {
    const payload = openEnvelope(parseDocument(Envelope, JSON.parse(text), 'envelope'), type, pem);
    if (new TextDecoder().decode(payload) === canonicalJson(document)) return { kind: null, found: '' };
    return { kind: 'differs', found: 'it is signed, and says something else than the chain' };
  } catch (error) {
    return { kind: 'differs', found: messageOf(error) };
  }
}
