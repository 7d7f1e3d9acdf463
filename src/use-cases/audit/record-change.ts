import { appendWrites, type AuditRecord, nextRecord } from '#domain/audit/chain.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { changesOf } from '#domain/audit/changes.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { ABSENT, type Key, keyText, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';
import { findOperationAndHead } from '#read-model/chain.ts';

/** What every use-case that changes state is given. */
export interface Recording {
  readonly environment: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

export interface Change {
  readonly model: string;
  /** Names this change for ever: the same operation is never done twice, whoever asks. */
  readonly operation: string;
  readonly writes: readonly Write[];
  readonly event: AuditEvent;
  /** When what the change was decided from expires: no attempt records it then, and whoever asked has to decide anew. */
  readonly until?: Date;
}

export type ChangeResult =
  | { readonly kind: 'recorded'; readonly seq: number; readonly hash: Digest }
  /** The operation had been done before: by a caller whose answer got lost, or by another delivery of the same event. */
  | { readonly kind: 'already-recorded'; readonly seq: number; readonly hash: Digest }
  | { readonly kind: 'refused'; readonly failed: readonly Key[] };

/** How often a change is tried anew when another change of the same model took its place in the chain. */
const ATTEMPTS = 40;

/** Where a change goes in its chain, as `findOperationAndHead` reads it. */
type Place = Awaited<ReturnType<typeof findOperationAndHead>>;

/**
 * Makes a state change and its audit record one transaction, exactly once per operation.
 *
 * @param read the place of the operation, where the caller has read it together with something else: one call less
 */
export async function recordChange(deps: Recording, change: Change, read?: Place): Promise<ChangeResult> {
  const { ledger, clock, environment } = deps;
  const headText = keyText(keys.chainHead(change.model));
  const operationText = keyText(keys.operation(change.model, change.operation));
  const changes = changesOf(change.writes);
  const digest = digestOf(changes);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const isRead = attempt === 1 && read !== undefined;
    const { done, head } = isRead ? read : await findOperationAndHead(ledger, change.model, change.operation);
    if (done !== undefined) return { kind: 'already-recorded', ...done };
    const now = clock.now();
    if (change.until !== undefined && !(now < change.until))
      throw new GatehouseError(
        'DECISION_OUTDATED',
        `what ${change.operation} rests on expired meanwhile; decide anew`,
        {
          until: change.until.toISOString(),
        },
      );
    const next = nextRecord(head, environment, change.model, change.operation, now, change.event, digest);
    const { record, hash } = next;
    const writes = [...change.writes, ...operationWrites(record, hash), ...appendWrites(head, next, changes)];
    const result = await ledger.transact(writes, tokenOf(writes));
    if (result.kind === 'committed') return { kind: 'recorded', seq: record.seq, hash };
    const failed = result.failed.map(keyText);
    if (failed.includes(operationText)) continue;
    const chainText = keyText(keys.chainRecord(change.model, record.seq));
    if (failed.every((key) => key === headText || key === chainText)) continue;
    return { kind: 'refused', failed: result.failed.filter((key) => ![headText, chainText].includes(keyText(key))) };
  }
  throw new GatehouseError('CHAIN_CONTENDED', 'the audit chain did not come to rest; try again', {
    model: change.model,
  });
}

function operationWrites(record: AuditRecord, hash: Digest): readonly Write[] {
  const key = keys.operation(record.model, record.operation);
  return [{ kind: 'put', item: { ...key, seq: record.seq, hash, at: record.at }, condition: ABSENT }];
}

/** The most bytes that DynamoDB takes in one transaction. */
const MAX_TRANSACTION_BYTES = 4 * 1024 * 1024;

/**
 * DynamoDB's idempotency token is at most 36 characters; it is derived from the body, so that no token has two bodies.
 * @throws GatehouseError `TRANSACTION_TOO_LARGE`
 */
function tokenOf(writes: readonly Write[]): string {
  const body = Buffer.from(JSON.stringify(writes));
  if (body.length > MAX_TRANSACTION_BYTES) {
    throw new GatehouseError('TRANSACTION_TOO_LARGE', `a change writes ${body.length} bytes`, { bytes: body.length });
  }
  return digestOf(body).slice('sha256:'.length, 'sha256:'.length + 36);
}

/** A short, stable name for an operation, from what makes it unique. */
export function operationName(verb: string, ...parts: readonly (string | number)[]): string {
  return `${verb}-${digestOf(parts.join('\n')).slice('sha256:'.length, 'sha256:'.length + 24)}`;
}
