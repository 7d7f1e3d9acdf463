import type { AuditRecord } from '#domain/audit/chain.ts';
import { isAlerting } from '#domain/audit/events.ts';
import { GatehouseError } from '#domain/error.ts';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Announcements } from '#ports/announcements.ts';
import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';
import { findRecord, followRecords } from '#read-model/chain.ts';
import { type AlertCursor, findAlertCursor, findPublished } from '#read-model/cursors.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

export interface Alerting {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly announcements: Pick<Announcements, 'alert'>;
  /** A name that nobody else has: whoever moves a cursor puts it there. */
  newClaim(): string;
}

/** How long an alert is left to whoever claimed it: longer than the publisher may run. */
const CLAIM_MS = 6 * 60_000;

/**
 * Sends the alerts of a model's chain beyond the cursor, each by whoever moved the cursor to its record. SNS cannot tell
 * that a message was sent before, so this does: an alert is sent again only if its sender's end is unknown, which is when
 * the function died, or SNS did not answer, between the move and the note that it was sent. Then it says that it may
 * repeat an earlier one. It never gets lost: the cursor names it until it was sent.
 */
export async function alertPeople(deps: Alerting, model: string, until?: Date): Promise<{ readonly alerted: number }> {
  const { ledger, clock, announcements } = deps;
  const by = deps.newClaim();
  let cursor = await beginning(deps, model, by);
  let alerted = 0;
  /** Moves the cursor from where this saw it; false if another sender has moved it since. */
  const move = async (seq: number, sending: number | null, left = 0): Promise<boolean> => {
    const next = { seq, sending, by, until: new Date(clock.now().getTime() + left).toISOString() };
    const moved = await put(deps, model, next, cursor);
    if (moved) cursor = next;
    return moved;
  };
  const send = async (record: AuditRecord, mayRepeat: boolean): Promise<boolean> => {
    if (!(await move(record.seq, record.seq, CLAIM_MS))) return false;
    try {
      await announcements.alert(record, { mayRepeat });
    } catch (error) {
      // Whoever comes next need not wait for the end of the claim.
      await move(record.seq, record.seq);
      throw error;
    }
    alerted += 1;
    return move(record.seq, null);
  };
  if (cursor.sending !== null) {
    if (clock.now().getTime() < Date.parse(cursor.until)) return { alerted };
    if (!(await send(await recordAt(ledger, model, cursor.sending), true))) return { alerted };
  }
  let seen = cursor.seq;
  for await (const { record } of followRecords(ledger, model, cursor.seq + 1)) {
    if (needsAttention(record) && !(await send(record, false))) return { alerted };
    seen = record.seq;
    if (until !== undefined && !(clock.now() < until)) break;
  }
  if (seen > cursor.seq) await move(seen, null);
  return { alerted };
}

/** Whether a record is alerted. */
export function needsAttention(record: AuditRecord): boolean {
  return isAlerting(record.code, record.details);
}

/** Whether a model's chain has been alerted as far as a record. */
export async function isTold(ledger: Ledger, model: string, seq: number): Promise<boolean> {
  const cursor = await findAlertCursor(ledger, model);
  return cursor !== undefined && cursor.seq >= seq && cursor.sending === null;
}

/** The cursor, which begins where the records end that an earlier version of this code has published, and told. */
async function beginning(deps: Alerting, model: string, by: string): Promise<AlertCursor> {
  const found = await findAlertCursor(deps.ledger, model);
  if (found !== undefined) return found;
  const published = await findPublished(deps.ledger, model);
  const first = { seq: published ?? -1, sending: null, by, until: deps.clock.now().toISOString() };
  return (await put(deps, model, first, undefined)) ? first : beginning(deps, model, by);
}

async function put(
  { ledger }: Alerting,
  model: string,
  next: AlertCursor,
  before: AlertCursor | undefined,
): Promise<boolean> {
  const condition = before === undefined ? ABSENT : equals(before);
  const write = { kind: 'put' as const, item: { ...keys.cursor('alerted', model), ...next }, condition };
  const result = await writeUnaudited(ledger, [write], operationName('l', JSON.stringify(write)));
  return result.kind === 'committed';
}

async function recordAt(ledger: Ledger, model: string, seq: number): Promise<AuditRecord> {
  const record = await findRecord(ledger, model, seq);
  if (record !== undefined) return record;
  throw new GatehouseError('RECORD_VANISHED', `record ${seq} of ${model} was to be alerted, and is not there`, { seq });
}
