import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';
import { ABSENT, equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { ModelName } from '../model/definition.ts';
import { OPERATIONS_DEFAULT, OperationsRule } from '../policy/operations.ts';

/** What an incident is about. Of one model there is one open incident per kind and epoch of the pointer. */
export const IncidentKind = z.enum([
  'rollback',
  'refused-data',
  'drift',
  'integrity',
  'audit',
  'missed-run',
  'rollback-readiness',
]);
export type IncidentKind = z.infer<typeof IncidentKind>;

/** How a part of an incident ends. People accept, withdraw or recompute; that something recovered is only seen. */
export const Resolution = z.enum(['recomputed', 'recovered', 'withdrawn', 'accepted']);
export type Resolution = z.infer<typeof Resolution>;

/** A part of what went wrong, which ends by itself or by a named person. */
export const IncidentPart = z.strictObject({
  /** Its name within the incident, e.g. `predictions`, or `events 2001-06-03`. */
  part: z.string().min(1).max(200),
  what: z.string().max(600),
  resolution: Resolution.nullable(),
  by: z.string().nullable(),
  at: z.iso.datetime().nullable(),
  reason: z.string().max(500).nullable(),
});
export type IncidentPart = z.infer<typeof IncidentPart>;

/** What is known of the rollback that an incident is about. */
export const RollbackFacts = z.strictObject({
  rollback: z.string().min(1),
  /** The release that was rolled back, and the one that is served again. */
  from: Digest,
  release: Digest,
  /** `verified`, or why the release is not served as a whole. */
  serving: z.string(),
  /** The days whose predictions the bad release had written, and their rows. */
  days: z.array(z.string()),
  rows: z.int().nonnegative(),
  alarm: z
    .strictObject({ name: z.string(), kind: z.string(), found: z.string(), values: z.record(z.string(), z.number()) })
    .exactOptional(),
});
export type RollbackFacts = z.infer<typeof RollbackFacts>;

const Act = z.strictObject({ by: z.string().min(1), at: z.iso.datetime() });

/** An incident: what went wrong with a model in an environment, who has it, and what of it is not settled yet. */
export const Incident = z.strictObject({
  formatVersion: z.literal(2),
  incident: z.string().min(1),
  model: ModelName,
  kind: IncidentKind,
  /** The epoch of the pointer in which it happened; 0 where nothing was served. */
  epoch: z.int().nonnegative(),
  status: z.enum(['open', 'acknowledged', 'mitigated', 'closed']),
  /** Grows by one with every change. */
  seq: z.int().nonnegative(),
  /** What the first signal said. */
  reason: z.string().min(1),
  openedAt: z.iso.datetime(),
  /** How many records of the chain were signals of it, and the newest of them. */
  signals: z.int().min(1),
  newestSignal: z.int().nonnegative(),
  /** Who is notified, one after the other, until somebody acknowledges. */
  roles: z.array(z.string().min(1)).min(1),
  limits: OperationsRule.pick({ acknowledgeMinutes: true, rootCauseHours: true }),
  /** How many roles were notified, and when the last was. */
  notified: z.int().min(1),
  notifiedAt: z.iso.datetime(),
  rootCauseDueAt: z.iso.datetime(),
  /** How many reminders of the root cause were sent. */
  reminded: z.int().nonnegative(),
  acknowledged: Act.nullable(),
  /** `rootCause` is a document by digest. */
  closed: Act.extend({ rootCause: Digest }).nullable(),
  parts: z.array(IncidentPart).max(200),
  rollback: RollbackFacts.nullable(),
});
export type Incident = z.infer<typeof Incident>;

/** The parts of an incident that nothing has settled. */
export function openParts({ parts }: Pick<Incident, 'parts'>): readonly IncidentPart[] {
  return parts.filter(({ resolution }) => resolution === null);
}

/** The status that follows from what has happened; it is never set by itself. */
export function statusOf(incident: Pick<Incident, 'closed' | 'acknowledged' | 'parts'>): Incident['status'] {
  if (incident.closed !== null) return 'closed';
  if (openParts(incident).length === 0) return 'mitigated';
  return incident.acknowledged === null ? 'open' : 'acknowledged';
}

/** The next state of an incident after some of it has changed. */
export function changed(incident: Incident, change: Partial<Omit<Incident, 'seq' | 'status'>>): Incident {
  const next = { ...incident, ...change, seq: incident.seq + 1 };
  return { ...next, status: statusOf(next) };
}

/** The one conditional write of an incident: over the state that was read, or over none. */
export function incidentWrite(before: Incident | undefined, next: Incident): Write {
  return {
    kind: 'put',
    item: { ...keys.incident(next.model, next.incident), ...next },
    condition:
      before === undefined
        ? ABSENT
        : before.seq === 0
          ? equals({ openedAt: before.openedAt, rollback: before.rollback?.rollback ?? '' })
          : equals({ seq: before.seq }),
  };
}

/** The role that has an incident now: the one that was notified last. */
export function roleOf({ roles, notified }: Pick<Incident, 'roles' | 'notified'>): string {
  return roles[Math.min(notified, roles.length) - 1] ?? 'platform';
}

/** An incident as the first version of a rollback wrote it: nothing could change it. */
const FirstIncident = z.strictObject({
  incident: z.string().min(1),
  status: z.literal('open'),
  reason: z.string().min(1),
  openedAt: z.iso.datetime(),
  ...RollbackFacts.shape,
});

/** An incident of any format, as the ledger holds it. */
export const StoredIncident = z.union([Incident, FirstIncident]);

/** An incident of the newest format. What the first one did not say is what an incident begins with; its epoch is unknown. */
export function currentFormat(stored: z.infer<typeof StoredIncident>, model: string): Incident {
  if ('formatVersion' in stored) return stored;
  const { incident, status, reason, openedAt, ...rollback } = stored;
  const { acknowledgeMinutes, rootCauseHours } = OPERATIONS_DEFAULT;
  return {
    formatVersion: 2,
    incident,
    model,
    kind: 'rollback',
    epoch: 0,
    status,
    seq: 0,
    reason,
    openedAt,
    signals: 1,
    newestSignal: 0,
    roles: ['platform'],
    limits: { acknowledgeMinutes, rootCauseHours },
    notified: 1,
    notifiedAt: openedAt,
    rootCauseDueAt: new Date(Date.parse(openedAt) + rootCauseHours * 3_600_000).toISOString(),
    reminded: 0,
    acknowledged: null,
    closed: null,
    parts: [
      {
        part: 'predictions',
        what: 'published predictions of the release that was rolled back',
        resolution: null,
        by: null,
        at: null,
        reason: null,
      },
    ],
    rollback,
  };
}
