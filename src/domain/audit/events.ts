import type { z } from 'zod';
import type { Digest } from '../canonical/digest.ts';
import type { Alert } from './events/event.ts';
import { INCIDENT_EVENTS } from './events/incident-events.ts';
import { OPERATIONS_EVENTS } from './events/operations-events.ts';
import { PEER_EVENTS } from './events/peer-events.ts';
import { PROMOTION_EVENTS } from './events/promotion-events.ts';
import { SERVING_EVENTS } from './events/serving-events.ts';
import { TRAINING_EVENTS } from './events/training-events.ts';

/** The registry of everything that an audit trail can say. Codes are stable; details are small (a record is at most 4 KB). */
export const AUDIT_EVENTS = {
  ...TRAINING_EVENTS,
  ...PROMOTION_EVENTS,
  ...SERVING_EVENTS,
  ...INCIDENT_EVENTS,
  ...OPERATIONS_EVENTS,
  ...PEER_EVENTS,
} as const;

export type AuditCode = keyof typeof AUDIT_EVENTS;

/** Whether an event is alerted. */
export function isAlerting(code: AuditCode, details: Readonly<Record<string, unknown>>): boolean {
  const alert: Alert = AUDIT_EVENTS[code].alert;
  if (typeof alert === 'boolean') return alert;
  const [detail, ...values] = alert.unless;
  return !values.some((value) => details[detail] === value);
}

/** What happened, before it has a place in the chain. `actor` is `person:<user>`, `pipeline:<function>` or `schedule:<name>`. */
export type AuditEvent = {
  [C in AuditCode]: {
    readonly code: C;
    readonly actor: string;
    readonly release: Digest | null;
    readonly details: z.input<(typeof AUDIT_EVENTS)[C]['details']>;
  };
}[AuditCode];
