import type { AuditEvent } from '../audit/events.ts';
import type { Digest } from '../canonical/digest.ts';
import type { OperationsRule } from '../policy/operations.ts';
import { cut } from '../text.ts';
import {
  changed,
  type Incident,
  type IncidentPart,
  openParts,
  type Resolution,
  type RollbackFacts,
  roleOf,
  statusOf,
} from './incident.ts';
import { MORE, type Signal } from './signals.ts';

const HOUR_MS = 3_600_000;

/** What writes of incidents are recorded as, where no person acts. */
export const INCIDENTS = 'pipeline:incidents';

/** A change of an incident, and what is recorded of it. */
export interface IncidentChange {
  readonly next: Incident;
  readonly event: AuditEvent;
}

const after = (instant: string, milliseconds: number): string =>
  new Date(Date.parse(instant) + milliseconds).toISOString();

const part = ({ part: name, what }: Pick<IncidentPart, 'part' | 'what'>): IncidentPart => ({
  part: name,
  what,
  resolution: null,
  by: null,
  at: null,
  reason: null,
});

/** The most parts that one incident lists; the last stands for all beyond. */
const MOST_PARTS = 200;

/**
 * The parts of an incident with those of another signal: what had ended and is wrong again is open again, unless a named person has accepted
 * exactly that day, run or object. Where there are too many, those that have ended go first, and the others are counted.
 */
function withParts(parts: readonly IncidentPart[], more: Signal['parts']): readonly IncidentPart[] {
  const isOne = ({ part: name }: { readonly part: string }): boolean => name !== MORE;
  const accepted = new Set(
    parts
      .filter(({ part: name, resolution }) => resolution === 'accepted' && /[ /]/.test(name))
      .map((each) => each.part),
  );
  const again = new Map(
    more
      .filter(isOne)
      .filter((each) => !accepted.has(each.part))
      .map((each) => [each.part, part(each)]),
  );
  const all = [...parts.filter(isOne).filter((each) => !again.has(each.part)), ...again.values()];
  const unlisted = [...parts.filter(({ resolution }) => resolution === null), ...more]
    .filter((each) => !isOne(each))
    .reduce((sum, { what }) => sum + Number.parseInt(what, 10), 0);
  if (unlisted === 0 && all.length <= MOST_PARTS) return all;
  const openFirst = all.toSorted((a, b) => Number(a.resolution !== null) - Number(b.resolution !== null));
  const dropped = openFirst.slice(MOST_PARTS - 1).filter(({ resolution }) => resolution === null).length;
  const count = unlisted + dropped;
  const last = count === 0 ? [] : [part({ part: MORE, what: `${count} more: see gatehouse history` })];
  return [...openFirst.slice(0, MOST_PARTS - 1), ...last];
}

/** The incident that a signal opens. */
export function opened(
  signal: Signal,
  about: Pick<Incident, 'incident' | 'model' | 'roles'> & {
    readonly rule: OperationsRule;
    readonly release: Digest | null;
  },
  actor: string,
  now: Date,
  rollback: RollbackFacts | null = null,
): IncidentChange {
  const { incident, model, roles, rule } = about;
  const at = now.toISOString();
  const base = { acknowledged: null, closed: null, parts: [...withParts([], signal.parts)] };
  const next: Incident = {
    formatVersion: 2,
    incident,
    model,
    kind: signal.kind,
    epoch: signal.epoch,
    status: statusOf(base),
    seq: 1,
    reason: signal.found || signal.code,
    openedAt: at,
    signals: 1,
    newestSignal: signal.seq,
    roles,
    limits: { acknowledgeMinutes: rule.acknowledgeMinutes, rootCauseHours: rule.rootCauseHours },
    notified: 1,
    notifiedAt: at,
    rootCauseDueAt: after(at, rule.rootCauseHours * HOUR_MS),
    reminded: 0,
    ...base,
    rollback,
  };
  return {
    next,
    event: {
      code: 'INCIDENT_OPENED',
      actor,
      release: about.release,
      details: {
        incident,
        kind: signal.kind,
        epoch: signal.epoch,
        role: roleOf(next),
        signal: signal.seq,
        ...(signal.rollback === undefined ? {} : { rollback: signal.rollback }),
        reason: next.reason,
        affected: rollback?.days.length ?? 0,
      },
    },
  };
}

/** The incident after another signal of the same. What was all settled and is not any more waits for somebody again, from the first role on. */
export function joined(
  incident: Incident,
  signal: Signal,
  release: Digest | null,
  now: Date,
  rollback: RollbackFacts | null = incident.rollback,
): IncidentChange {
  const parts = [...withParts(incident.parts, signal.parts)];
  const isReopened = incident.status === 'mitigated' && openParts({ parts }).length > 0;
  const again = { acknowledged: null, notified: 1, notifiedAt: now.toISOString() };
  const next = changed(incident, {
    signals: incident.signals + 1,
    newestSignal: Math.max(incident.newestSignal, signal.seq),
    parts,
    rollback,
    ...(isReopened ? again : {}),
  });
  return {
    next,
    event: {
      code: 'INCIDENT_JOINED',
      actor: INCIDENTS,
      release,
      details: {
        incident: incident.incident,
        signal: signal.seq,
        code: signal.code,
        status: next.status,
        reopened: isReopened ? 'yes' : 'no',
        ...(isReopened ? { role: roleOf(next) } : {}),
        found: signal.found,
      },
    },
  };
}

/** The incident after a person has said that it is theirs; whoever says so later takes it over. */
export function acknowledged(incident: Incident, by: string, comment: string, now: Date): IncidentChange {
  const next = changed(incident, { acknowledged: { by, at: now.toISOString() } });
  return {
    next,
    event: {
      code: 'INCIDENT_ACKNOWLEDGED',
      actor: by,
      release: null,
      details: { incident: incident.incident, status: next.status, comment },
    },
  };
}

/** The incident after one of its parts has ended. */
export function settled(
  incident: Incident,
  end: { readonly part: string; readonly resolution: Resolution; readonly by: string; readonly reason: string },
  now: Date,
): IncidentChange {
  const at = now.toISOString();
  const { part: name, resolution, by, reason } = end;
  const parts = incident.parts.map((each) => (each.part === name ? { ...each, resolution, by, at, reason } : each));
  const next = changed(incident, { parts });
  return {
    next,
    event: {
      code: 'INCIDENT_PART_SETTLED',
      actor: by,
      release: null,
      details: { incident: incident.incident, part: name, resolution, status: next.status, reason },
    },
  };
}

/** The incident after a person has closed it, with its root cause. */
export function closed(incident: Incident, by: string, rootCause: Digest, now: Date): IncidentChange {
  const at = now.toISOString();
  return {
    next: changed(incident, { acknowledged: incident.acknowledged ?? { by, at }, closed: { by, at, rootCause } }),
    event: {
      code: 'INCIDENT_CLOSED',
      actor: by,
      release: null,
      details: { incident: incident.incident, rootCause, openedAt: incident.openedAt, parts: incident.parts.length },
    },
  };
}

/** Hours between two notices when every role has been notified. */
const AGAIN_HOURS = 24;

/** The incident after the next role was notified, when it is time: nobody has acknowledged it, whatever has become right by itself. */
export function escalated(incident: Incident, now: Date): IncidentChange | undefined {
  if (incident.acknowledged !== null || incident.closed !== null) return undefined;
  const wait =
    incident.notified < incident.roles.length ? incident.limits.acknowledgeMinutes * 60_000 : AGAIN_HOURS * HOUR_MS;
  if (now.getTime() < Date.parse(incident.notifiedAt) + wait) return undefined;
  const next = changed(incident, { notified: incident.notified + 1, notifiedAt: now.toISOString() });
  return {
    next,
    event: {
      code: 'INCIDENT_ESCALATED',
      actor: INCIDENTS,
      release: null,
      details: {
        incident: incident.incident,
        role: roleOf(next),
        notified: next.notified,
        openedAt: incident.openedAt,
        reason: cut(incident.reason, 300),
      },
    },
  };
}

/** When the next reminder of a root cause is due: at half of the time, at its end, and each day after it. */
export function nextReminder({
  openedAt,
  rootCauseDueAt,
  reminded,
}: Pick<Incident, 'openedAt' | 'rootCauseDueAt' | 'reminded'>): string {
  const due = Date.parse(rootCauseDueAt);
  const half = due - (due - Date.parse(openedAt)) / 2;
  return new Date(reminded === 0 ? half : due + (reminded - 1) * AGAIN_HOURS * HOUR_MS).toISOString();
}

/** The incident after its owner was reminded of the root cause, when it is time. */
export function remindedOf(incident: Incident, now: Date): IncidentChange | undefined {
  if (incident.status === 'closed' || now.getTime() < Date.parse(nextReminder(incident))) return undefined;
  const isOverdue = now.getTime() >= Date.parse(incident.rootCauseDueAt);
  // Reminders that were never sent are not made good: one says what all of them would.
  let { reminded } = incident;
  while (now.getTime() >= Date.parse(nextReminder({ ...incident, reminded }))) reminded += 1;
  return {
    next: changed(incident, { reminded }),
    event: {
      code: 'ROOT_CAUSE_DUE',
      actor: INCIDENTS,
      release: null,
      details: {
        incident: incident.incident,
        role: roleOf(incident),
        ...(incident.acknowledged === null ? {} : { acknowledgedBy: incident.acknowledged.by }),
        due: incident.rootCauseDueAt,
        isOverdue,
        openParts: openParts(incident).length,
      },
    },
  };
}
