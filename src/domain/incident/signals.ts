import { type AuditRecord, detailsOf } from '../audit/chain.ts';
import type { AuditCode } from '../audit/events.ts';
import { cut } from '../text.ts';
import type { IncidentKind, IncidentPart, RollbackFacts } from './incident.ts';

/** The records that may be signals of an incident, or of its end. */
export const SIGNAL_CODES = [
  'ROLLBACK_TRIGGERED',
  'ROLLBACK_NOT_TRIGGERED',
  'ROLLBACK_REFUSED',
  'RELEASE_ROLLED_BACK',
  'ROLLBACK_VERIFIED',
  'PARTITION_REFUSED',
  'PREDICTIONS_BLOCKED',
  'PREDICTIONS_OVERDUE',
  'DRIFT_CHECKED',
  'PEER_VERIFICATION_FAILED',
  'INTEGRITY_FAILED',
  'INTEGRITY_RESTORED',
  'ROLLBACK_READINESS_CHECKED',
  'SCHEDULE_MISSED',
] as const satisfies readonly AuditCode[];

/** What a record says that an incident is made of, or joins. */
export interface Signal {
  readonly kind: IncidentKind;
  readonly epoch: number;
  /** The number of the record. */
  readonly seq: number;
  readonly code: AuditCode;
  readonly at: string;
  readonly found: string;
  readonly parts: readonly Pick<IncidentPart, 'part' | 'what'>[];
  /** The rollback whose incident it joins, whatever epoch it names. */
  readonly rollback?: string;
}

/** What a record says has become right again by itself: parts of open incidents of a kind, which no later record has signalled. */
export interface Recovery {
  readonly kind: IncidentKind;
  /** The number of the record. */
  readonly seq: number;
  /** Which part; all of them if left out. */
  readonly part?: string;
  /** Of incidents up to this epoch. */
  readonly until: number;
  readonly reason: string;
}

/** The epoch of the pointer after a record: of those that change no champion, it is the one before. */
export function epochAfter(record: AuditRecord, before: number): number {
  if (record.code === 'RELEASE_PROMOTED') return detailsOf(record, 'RELEASE_PROMOTED').epoch;
  return record.code === 'RELEASE_ROLLED_BACK' ? detailsOf(record, 'RELEASE_ROLLED_BACK').epoch : before;
}

const one = (part: string, what: string): Signal['parts'] => [{ part, what: cut(what, 600) }];

/** The part that stands for those that are not listed; its text begins with their number. Only people can tell how they ended. */
export const MORE = 'more';

/** The part of so many days that a record does not name. */
function beyond(count: number): Signal['parts'] {
  return count > 0 ? one(MORE, `${count} more: see gatehouse history`) : [];
}

/** The part that the release itself is, while it is served although it should not be. */
const RELEASE = 'release';

/** Rules by which a rollback is refused that somebody else did, or that nobody may do: nothing is wrong by that. */
const NOTHING_TO_DO: ReadonlySet<string> = new Set(['rollback-epoch', 'rollback-from', 'actor-verified']);

/** What is wrong after a rollback that the release has left behind: its predictions, and where it answers requests, its answers. */
export function partsOfRollback(isOnline: boolean): Signal['parts'] {
  return [
    ...one('predictions', 'published predictions of the release that was rolled back'),
    ...(isOnline ? one('answers', 'answers of the release that consumers have already got') : []),
  ];
}

/**
 * The incident that a record is a signal of; undefined of most records.
 *
 * @param epoch the pointer's epoch before the record; a signal of what no epoch serves is none of refused data
 */
export function signalOf(record: AuditRecord, epoch: number, isOnline: boolean): Signal | undefined {
  const { seq, code, at } = record;
  const signal = (kind: IncidentKind, found: string, rest: Pick<Signal, 'parts'> & Partial<Signal>): Signal => ({
    kind,
    epoch,
    seq,
    code,
    at,
    found: cut(found, 600),
    ...rest,
  });
  switch (code) {
    case 'ROLLBACK_TRIGGERED': {
      const { found, rollback, ...details } = detailsOf(record, code);
      const parts = one(RELEASE, `${rollback} was triggered, and has not switched the pointer yet: ${found}`);
      return signal('rollback', found, { epoch: details.epoch, rollback, parts });
    }
    case 'ROLLBACK_NOT_TRIGGERED': {
      const { verdict, found, alarm, ...details } = detailsOf(record, code);
      if (verdict !== 'page') return undefined;
      const parts = one(RELEASE, `${alarm} is in alarm, and nothing was rolled back: ${found}`);
      return signal('rollback', found, { epoch: details.epoch, parts });
    }
    case 'ROLLBACK_REFUSED': {
      const { rule, found, rollback } = detailsOf(record, code);
      if (NOTHING_TO_DO.has(rule)) return undefined;
      return signal('rollback', `${rule}: ${found}`, {
        rollback,
        parts: one(RELEASE, `a rollback was refused by ${rule}: ${found}`),
      });
    }
    case 'RELEASE_ROLLED_BACK': {
      const { reason, rollback, epoch: next } = detailsOf(record, code);
      return signal('rollback', reason, { epoch: next - 1, rollback, parts: partsOfRollback(isOnline) });
    }
    case 'ROLLBACK_VERIFIED': {
      const { result, found, rollback } = detailsOf(record, code);
      if (result === 'COMPLETE') return undefined;
      return signal('rollback', found, {
        rollback,
        parts: one('serving', `who answers was verified as ${result}: ${found}`),
      });
    }
    case 'PARTITION_REFUSED': {
      const { kind, day, rule, found } = detailsOf(record, code);
      if (epoch === 0) return undefined;
      return signal('refused-data', `${kind} of ${day}: ${rule}: ${found}`, {
        parts: one(`${kind} ${day}`, `${rule}: ${found}`),
      });
    }
    case 'PREDICTIONS_BLOCKED': {
      const { days, count, rule, found } = detailsOf(record, code);
      const parts = days.flatMap((day) => one(`predictions ${day}`, `${rule}: ${found}`));
      return signal('refused-data', `${rule}: ${found}`, { parts: [...parts, ...beyond(count - days.length)] });
    }
    case 'PREDICTIONS_OVERDUE': {
      const { days, count, hours, causes } = detailsOf(record, code);
      const found = `${count} days have no predictions within ${hours} h: ${causes.join('; ')}`;
      const parts = days.flatMap((day) => one(`predictions ${day}`, `none within ${hours} h of its arrival`));
      return signal('missed-run', found, { parts: [...parts, ...beyond(count - days.length)] });
    }
    case 'DRIFT_CHECKED': {
      const { inputs, reasons, worst, epoch: checked } = detailsOf(record, code);
      if (inputs !== 'drifted') return undefined;
      const found = reasons.join('; ') || `${worst?.input ?? 'a stable input'} has drifted`;
      return signal('drift', found, { epoch: checked, parts: one('inputs', found) });
    }
    case 'PEER_VERIFICATION_FAILED': {
      const { peer, seq: number, rule, found } = detailsOf(record, code);
      return signal('audit', `${peer}: ${rule}: ${found}`, {
        parts: one(`${peer} record ${number}`, `${rule}: ${found}`),
      });
    }
    case 'INTEGRITY_FAILED': {
      const { object, finding, found: said, affects } = detailsOf(record, code);
      const found = `${object} ${finding === 'missing' ? 'is missing' : 'is another'}: ${said}; affects ${affects.join(', ') || 'nothing'}`;
      return signal('integrity', found, { parts: one(objectPart(object), found) });
    }
    case 'SCHEDULE_MISSED': {
      const { schedule, expectedAt, lastRunAt } = detailsOf(record, code);
      const found = `${schedule} did not run at ${expectedAt}; last: ${lastRunAt ?? 'never'}`;
      return signal('missed-run', found, { parts: one(missedPart(schedule, expectedAt), found) });
    }
    case 'ROLLBACK_READINESS_CHECKED': {
      const { status, reasons, epoch: checked } = detailsOf(record, code);
      if (status === 'ready' || status === 'first-release') return undefined;
      const found = reasons.join('; ') || status;
      return signal('rollback-readiness', found, { epoch: checked ?? epoch, parts: one('target', found) });
    }
    default:
      return undefined;
  }
}

/** The part that a stored object is; keys may be longer than a part's name. */
const objectPart = (object: string): string => object.slice(-200).toWellFormed();

/** The part that a run that did not come is: its schedule, and when it was expected. */
const missedPart = (schedule: string, expectedAt: string): string => `schedule ${schedule} ${expectedAt}`;

/** What a record says has become right again. @param epoch the pointer's epoch before the record */
export function recoveryOf(record: AuditRecord, epoch: number): Recovery | undefined {
  const { code, seq } = record;
  const at = { seq, until: epoch };
  switch (code) {
    case 'INTEGRITY_RESTORED': {
      const { object, found } = detailsOf(record, code);
      return { ...at, kind: 'integrity', part: objectPart(object), reason: cut(found, 500) || 'it is whole again' };
    }
    case 'ROLLBACK_READINESS_CHECKED': {
      const { status, version } = detailsOf(record, code);
      const reason = `a rollback would go to ${version ?? 'a release'}, which is ready`;
      return status === 'ready' ? { ...at, kind: 'rollback-readiness', reason } : undefined;
    }
    case 'RELEASE_ROLLED_BACK': {
      const { rollback, epoch: next } = detailsOf(record, code);
      return {
        ...at,
        until: next - 1,
        kind: 'rollback',
        part: RELEASE,
        reason: `${rollback} has switched the pointer`,
      };
    }
    case 'DRIFT_CHECKED': {
      const { inputs, day, epoch: checked } = detailsOf(record, code);
      const reason = `the stable inputs of ${day ?? 'the newest day'} are as before`;
      return inputs === 'stable' ? { ...at, until: checked, kind: 'drift', reason } : undefined;
    }
    default:
      return undefined;
  }
}

/** What the ledger says of the parts of incidents, beside the records of the chain. */
export interface Facts {
  /** The release of each day's published predictions. */
  readonly published: ReadonlyMap<string, string>;
  readonly served: string | undefined;
  /** What is refused and not resolved, as `kind day`. */
  readonly refused: ReadonlySet<string>;
  /** When each schedule ran last. */
  readonly heartbeats: ReadonlyMap<string, string>;
}

/** How a part has ended by what the ledger says; undefined where it has not, or where only people can tell. */
export function settledBy(
  kind: IncidentKind,
  part: string,
  rollback: RollbackFacts | null,
  { published, served, refused, heartbeats }: Facts,
): { readonly resolution: 'recomputed' | 'recovered'; readonly reason: string } | undefined {
  if (part === MORE) return undefined;
  if (kind === 'rollback' && part === 'predictions' && rollback !== null) {
    if ([...published.values()].includes(rollback.from)) return undefined;
    return { resolution: 'recomputed', reason: 'no published prediction is of the release that was rolled back' };
  }
  if (kind === 'refused-data' && !refused.has(part))
    return { resolution: 'recovered', reason: 'the day was admitted, or published' };
  const day = part.startsWith('predictions ') ? part.slice('predictions '.length) : undefined;
  if (kind === 'missed-run' && day !== undefined && served !== undefined && published.get(day) === served)
    return { resolution: 'recomputed', reason: 'the day has predictions of the served release' };
  const [, schedule = '', expectedAt = ''] = /^schedule (\S+) (\S+)$/.exec(part) ?? [];
  const ran = heartbeats.get(schedule);
  if (kind === 'missed-run' && expectedAt !== '' && ran !== undefined && ran >= expectedAt)
    return { resolution: 'recovered', reason: `the schedule ran at ${ran}` };
  return undefined;
}
