import { z } from 'zod';
import { Digest } from '../../canonical/digest.ts';
import { event, Text } from './event.ts';

/** What happens to an incident; each names the status that follows, where it may have changed. */
export const INCIDENT_EVENTS = {
  INCIDENT_OPENED: event(
    'an incident was opened; it waits for somebody to acknowledge it',
    z.strictObject({
      incident: Text,
      // Records of before say neither.
      kind: Text.exactOptional(),
      epoch: z.int().exactOptional(),
      /** The role that is notified. */
      role: Text.exactOptional(),
      /** The record that it was opened for. */
      signal: z.int().exactOptional(),
      rollback: Text.exactOptional(),
      reason: Text,
      /** Days of predictions that the bad release had written. */
      affected: z.int(),
    }),
    true,
  ),
  INCIDENT_JOINED: event(
    'another signal joined an incident',
    z.strictObject({
      incident: Text,
      signal: z.int(),
      code: Text,
      status: Text,
      /** Whether all of it was settled before: then the first role is notified again. */
      reopened: z.enum(['yes', 'no']),
      role: Text.exactOptional(),
      found: z.string(),
    }),
    { unless: ['reopened', 'no'] },
  ),
  INCIDENT_ACKNOWLEDGED: event(
    'a person acknowledged an incident, or took it over; the next role is not notified',
    z.strictObject({ incident: Text, status: Text, comment: z.string() }),
  ),
  INCIDENT_ESCALATED: event(
    'nobody acknowledged an incident in time: the next role is notified',
    z.strictObject({ incident: Text, role: Text, notified: z.int(), openedAt: z.iso.datetime(), reason: z.string() }),
    true,
  ),
  INCIDENT_PART_SETTLED: event(
    'a part of an incident was recomputed, withdrawn, accepted by a person, or recovered',
    z.strictObject({ incident: Text, part: Text, resolution: Text, status: Text, reason: z.string() }),
  ),
  ROOT_CAUSE_DUE: event(
    'the root cause of an incident is due, or overdue',
    z.strictObject({
      incident: Text,
      role: Text,
      acknowledgedBy: Text.exactOptional(),
      due: z.iso.datetime(),
      isOverdue: z.boolean(),
      openParts: z.int(),
    }),
    true,
  ),
  INCIDENT_CLOSED: event(
    'a person closed an incident, with its root cause',
    z.strictObject({ incident: Text, rootCause: Digest, openedAt: z.iso.datetime(), parts: z.int() }),
  ),
} as const;
