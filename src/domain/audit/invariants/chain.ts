import { canonicalJson, digestOf, parseCanonical } from '../../canonical/digest.ts';
import { openEnvelope, PAYLOAD_TYPES } from '../../signature/dsse.ts';
import { AuditRecord, EMPTY_CHAIN, followChain, MAX_RECORD_BYTES } from '../chain.ts';
import type { Invariant, LedgerState } from '../invariant.ts';
import { publishedPointerOf } from '../../promotion/published-pointer.ts';

/** How old a record may be before it has to have been published: three rounds of the reconciler. */
const PUBLISH_WITHIN_MS = 15 * 60_000;

/** The audit chain is whole: nothing is missing, nothing was changed. */
export const chainUnbroken: Invariant = {
  id: 'chain-unbroken',
  meaning: 'the audit chain is hash-linked from its first record to its head, each record canonical and at most 4 KB',
  check({ stored, head, environment, model }, records) {
    const read = new Map<string, AuditRecord>(records.map(({ record, hash }) => [hash, record]));
    const found = stored.flatMap(({ seq, document, hash }) => {
      const bytes = Buffer.byteLength(document);
      const lines = bytes > MAX_RECORD_BYTES ? [`record ${seq} has ${bytes} bytes`] : [];
      const digest = digestOf(document);
      if (digest !== hash) lines.push(`record ${seq} does not hash to ${hash}`);
      try {
        const known = read.get(digest);
        const isCanonical = known !== undefined && canonicalJson(known) === document;
        const record = isCanonical ? known : parseCanonical(AuditRecord, document, `record ${seq}`);
        if (record.seq !== seq) lines.push(`record ${record.seq} is stored as ${seq}`);
        if (record.environment !== environment || record.model !== model)
          lines.push(`record ${seq} is of ${record.environment}/${record.model}`);
      } catch (error) {
        lines.push(error instanceof Error ? error.message : String(error));
      }
      return lines;
    });
    const followed = followChain(EMPTY_CHAIN, records);
    if ('broken' in followed) return [...found, followed.broken];
    const end = head ?? EMPTY_CHAIN;
    if (followed.head.seq === end.seq && followed.head.hash === end.hash) return found;
    return [...found, `the head says record ${end.seq}, the chain ends with ${followed.head.seq}`];
  },
};

/** What others see is what the ledger says. */
export const chainPublished: Invariant = {
  id: 'chain-published',
  meaning: 'every record is published as it stands in the ledger, signed by the environment’s key',
  check(state, records) {
    if (state.published === undefined)
      return records.some(({ record }) => isDue(state, record)) ? ['nothing is published'] : [];
    const { publicKeyPem, newestPointer } = state.published;
    const published = new Map(state.published.records.map(({ seq, envelope }) => [seq, envelope]));
    const found = records.flatMap(({ record }) => {
      const envelope = published.get(record.seq);
      if (envelope === undefined) return isDue(state, record) ? [`record ${record.seq} is not published`] : [];
      return differences(
        () => openEnvelope(envelope, PAYLOAD_TYPES.auditRecord, publicKeyPem),
        canonicalJson(record),
        `published record ${record.seq}`,
      );
    });
    const last = records.at(-1)?.record.seq ?? -1;
    const unknownRecords = [...published.keys()]
      .filter((seq) => seq > last)
      .map((seq) => `record ${seq} is published and not in the ledger`);
    return [...found, ...unknownRecords, ...pointerDifferences(records, newestPointer, publicKeyPem)];
  },
};

function pointerDifferences(
  records: Parameters<Invariant['check']>[1],
  newest: { readonly seq: number; readonly envelope: Parameters<typeof openEnvelope>[0] } | undefined,
  publicKeyPem: string,
): readonly string[] {
  if (newest === undefined) return [];
  const pointer = records
    .map(({ record, hash }) => publishedPointerOf(record, hash))
    .find((candidate) => candidate?.seq === newest.seq);
  if (pointer === undefined) return [`pointer ${newest.seq} is published and no record says so`];
  return differences(
    () => openEnvelope(newest.envelope, PAYLOAD_TYPES.pointer, publicKeyPem),
    canonicalJson(pointer),
    `published pointer ${newest.seq}`,
  );
}

function differences(open: () => Uint8Array, expected: string, what: string): readonly string[] {
  try {
    return new TextDecoder().decode(open()) === expected ? [] : [`${what} says something else than the ledger`];
  } catch (error) {
    return [`${what}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function isDue({ now }: LedgerState, { at }: AuditRecord): boolean {
  return now.getTime() - Date.parse(at) > PUBLISH_WITHIN_MS;
}
