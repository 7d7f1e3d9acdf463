import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import { AUDIT_EVENTS } from '#domain/audit/events.ts';
import type { Incident } from '#domain/incident/incident.ts';

/** A moment of an incident; `seq` is the record that says it, null of what a metric says. */
export interface Moment {
  readonly at: string;
  readonly what: string;
  readonly by: string;
  readonly seq: number | null;
}

/** What the chain says of an incident, oldest first: what was served, its signals, and what was done. */
export function timelineOf(incident: Incident, records: readonly AuditRecord[]): readonly Moment[] {
  const signals = new Set(
    records
      .filter(({ details }) => details['incident'] === incident.incident)
      .map(({ details }) => details['signal'])
      .filter((seq) => typeof seq === 'number'),
  );
  return records.flatMap((record) => {
    const what = whatOf(incident, record, signals);
    return what === undefined ? [] : [{ at: record.at, what, by: record.actor, seq: record.seq }];
  });
}

/** What a record says of an incident; undefined of those that are about something else. */
function whatOf(incident: Incident, record: AuditRecord, signals: ReadonlySet<number>): string | undefined {
  const { code, details } = record;
  const rollback = incident.rollback?.rollback;
  if (code === 'RELEASE_PROMOTED' && details['epoch'] === incident.epoch && incident.epoch > 0)
    return `${detailsOf(record, code).version} began to be served (epoch ${incident.epoch})`;
  const isSignal = signals.has(record.seq) && record.seq >= 0;
  const isOfRollback = rollback !== undefined && details['rollback'] === rollback;
  const isRepair =
    code === 'PREDICTIONS_PUBLISHED' &&
    rollback !== undefined &&
    record.release === incident.rollback?.release &&
    detailsOf(record, code).epoch === incident.epoch + 1 &&
    detailsOf(record, code).partitions > 0;
  if (!isSignal && !isOfRollback && !isRepair && details['incident'] !== incident.incident) return undefined;
  const said = ['found', 'reason', 'comment', 'role', 'resolution', 'part', 'result']
    .flatMap((name) => {
      const value = details[name];
      return typeof value === 'string' && value !== '' ? [value] : [];
    })
    .join('; ');
  const { meaning } = AUDIT_EVENTS[code];
  const counted = isRepair ? `${detailsOf(record, code).partitions} days, ${detailsOf(record, code).rows} rows` : said;
  return `${code}: ${counted === '' ? meaning : counted}`.slice(0, 200);
}
