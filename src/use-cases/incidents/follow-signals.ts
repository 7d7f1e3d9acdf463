import type { AuditRecord } from '#domain/audit/chain.ts';
import { INCIDENTS } from '#domain/incident/changes.ts';
import { epochAfter, recoveryOf, signalOf } from '#domain/incident/signals.ts';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { followRecords } from '#read-model/chain.ts';
import { findSignalCursor, type SignalCursor } from '#read-model/cursors.ts';
import { readIncidents } from '#read-model/incidents.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';
import { type RecordingIncidents, settleParts, takeSignal } from './record-incident.ts';
import { isOnline, rollbackFacts } from './open-incident.ts';

/** Where nobody has followed a chain before: signals that are older than this open nothing, they are history. */
const HISTORY_MS = 24 * 3_600_000;

/** How many records are read between two moves of the place. */
const AT_ONCE = 200;

/**
 * Reads a model's chain from where it was read last, and lets each record that is a signal open an incident or join one; each once, however
 * often and by however many it is read.
 */
export async function followSignals(deps: RecordingIncidents, model: string): Promise<{ readonly read: number }> {
  const { ledger, clock } = deps;
  const first = await findSignalCursor(ledger, model);
  const began = new Date(clock.now().getTime() - HISTORY_MS).toISOString();
  let place: SignalCursor = first ?? { seq: -1, epoch: 0, historyBefore: began };
  let kept = first;
  let read = 0;
  const keep = async (): Promise<void> => {
    if (await movePlace(deps, model, kept, place)) kept = place;
  };
  for await (const { record } of followRecords(ledger, model, place.seq + 1)) {
    const isHistory = place.historyBefore !== null && record.at < place.historyBefore;
    if (!isHistory) await takeRecord(deps, record, place.epoch);
    place = { ...place, seq: record.seq, epoch: epochAfter(record, place.epoch) };
    read += 1;
    if (read % AT_ONCE === 0) await keep();
  }
  if (read === 0 && place.historyBefore === null) return { read };
  // Until the head was reached once, what is old opens nothing, however often the reading began.
  place = { ...place, historyBefore: null };
  await keep();
  return { read };
}

async function takeRecord(deps: RecordingIncidents, record: AuditRecord, epoch: number): Promise<void> {
  const { model } = record;
  const signal = signalOf(record, epoch, isOnline(deps.deployed, model));
  if (signal !== undefined) {
    const rollback =
      record.code === 'RELEASE_ROLLED_BACK' ? await rollbackFacts(deps.ledger, record, 'not verified yet') : undefined;
    const release = rollback?.from ?? record.release;
    await takeSignal(deps, model, signal, { actor: INCIDENTS, release, ...(rollback && { rollback }) });
  }
  const recovery = recoveryOf(record, epoch);
  if (recovery === undefined) return;
  const { kind, part: only, until, reason } = recovery;
  // Read again, it ends nothing that was signalled after it.
  const incidents = (await readIncidents(deps.ledger, model)).filter(
    (each) => each.kind === kind && each.epoch <= until && each.newestSignal <= recovery.seq,
  );
  await settleParts(deps, model, incidents, (_, part) =>
    only === undefined || only === part ? { resolution: 'recovered', reason } : undefined,
  );
}

/** Moves the place, if nobody else has moved it: then the other one reads on. */
async function movePlace(
  { ledger }: RecordingIncidents,
  model: string,
  before: SignalCursor | undefined,
  next: SignalCursor,
): Promise<boolean> {
  const write = {
    kind: 'put' as const,
    item: { ...keys.cursor('incidents', model), ...next },
    condition: before === undefined ? ABSENT : equals(before),
  };
  const result = await writeUnaudited(ledger, [write], operationName('i', JSON.stringify(write)));
  return result.kind === 'committed';
}
