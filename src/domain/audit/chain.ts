import { z } from 'zod';
import { canonicalJson, Digest, digestOf, parseDocument } from '../canonical/digest.ts';
import { GatehouseError } from '../error.ts';
import type { Item, Json, Write } from '../ledger/item.ts';
import { ABSENT, equals } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { ModelName } from '../model/definition.ts';
import { NO_CHANGES, NOTHING_CHANGED } from './changes.ts';
import { AUDIT_EVENTS, type AuditCode, type AuditEvent } from './events.ts';

/** The `previous` of a chain's first record. */
export const GENESIS = digestOf('gatehouse audit chain');

/** The most bytes of a record's canonical JSON. */
export const MAX_RECORD_BYTES = 4096;

/** One record of a (model, environment) chain. Its hash is the digest of its canonical JSON, and the next one's `previous`. */
export const AuditRecord = z.strictObject({
  formatVersion: z.literal(1),
  environment: z.string().min(1),
  model: ModelName,
  seq: z.int().nonnegative(),
  at: z.iso.datetime(),
  operation: z.string().min(1),
  code: z.enum(Object.keys(AUDIT_EVENTS) as [AuditCode, ...AuditCode[]]),
  actor: z.string().min(1),
  release: Digest.nullable(),
  /** JSON by what it comes from, a parsed text or a parsed event; each code's own schema says which. */
  details: z.custom<Readonly<Record<string, Json>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  ),
  /** The digest of the governed items that this act put, which stand beside the record in the ledger. */
  changes: Digest,
  previous: Digest,
});
export type AuditRecord = z.infer<typeof AuditRecord>;

/** Where a chain ends: the number and the hash of its newest record. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: Digest;
}

export const EMPTY_CHAIN: ChainHead = { seq: -1, hash: GENESIS };

/** The details of a record, parsed by its code's schema. */
export function detailsOf<C extends AuditCode>(
  record: AuditRecord,
  code: C,
): z.output<(typeof AUDIT_EVENTS)[C]['details']> {
  if (record.code !== code)
    throw new GatehouseError('BAD_DOCUMENT', `record ${record.seq} is ${record.code}, expected ${code}`);
  return AUDIT_EVENTS[code].details.parse(record.details) as z.output<(typeof AUDIT_EVENTS)[C]['details']>;
}

/** The next record of a chain and its hash. */
export function nextRecord(
  head: ChainHead,
  environment: string,
  model: string,
  operation: string,
  at: Date,
  event: AuditEvent,
  changes: Digest = NOTHING_CHANGED,
): { readonly record: AuditRecord; readonly hash: Digest; readonly document: string } {
  const details = parseDocument(
    AUDIT_EVENTS[event.code].details as z.ZodType,
    event.details,
    `details of ${event.code}`,
  );
  const record = parseDocument(
    AuditRecord,
    {
      formatVersion: 1,
      environment,
      model,
      seq: head.seq + 1,
      at: at.toISOString(),
      operation,
      code: event.code,
      actor: event.actor,
      release: event.release,
      details,
      changes,
      previous: head.hash,
    },
    'audit record',
  );
  const document = canonicalJson(record);
  if (Buffer.byteLength(document) > MAX_RECORD_BYTES) {
    throw new GatehouseError('RECORD_TOO_LARGE', `audit record ${event.code} has more than ${MAX_RECORD_BYTES} bytes`, {
      bytes: Buffer.byteLength(document),
    });
  }
  return { record, hash: digestOf(document), document };
}

/** The writes that append a record: the head moves only from where the record's `previous` says it was. */
export function appendWrites(
  head: ChainHead,
  { record, hash, document }: ReturnType<typeof nextRecord>,
  changes: string = NO_CHANGES,
): readonly Write[] {
  const headKey = keys.chainHead(record.model);
  return [
    {
      kind: 'put',
      item: { ...headKey, seq: record.seq, hash },
      condition: head.seq < 0 ? ABSENT : equals({ seq: head.seq, hash: head.hash }),
    },
    {
      kind: 'put',
      item: {
        ...keys.chainRecord(record.model, record.seq),
        document,
        hash,
        code: record.code,
        changes,
      },
      condition: ABSENT,
    },
  ];
}

/** What a chain's item holds. */
export function recordOf(item: Item): { readonly record: AuditRecord; readonly hash: Digest } {
  const text = z.string().parse(item['document']);
  return { record: parseDocument(AuditRecord, JSON.parse(text), 'audit record'), hash: digestOf(text) };
}

/** Why a run of records is not a chain that goes on from a head, or the head that they lead to. */
export function followChain(
  from: ChainHead,
  records: readonly { readonly record: AuditRecord; readonly hash: Digest }[],
): { readonly head: ChainHead } | { readonly broken: string } {
  let head = from;
  for (const { record, hash } of records) {
    if (record.seq !== head.seq + 1) return { broken: `record ${head.seq + 1} is missing: found ${record.seq}` };
    if (record.previous !== head.hash) return { broken: `record ${record.seq} does not follow from ${head.seq}` };
    head = { seq: record.seq, hash };
  }
  return { head };
}
