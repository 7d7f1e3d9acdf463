import { z } from 'zod';
import { Digest } from '../../canonical/digest.ts';
import { AlarmKind } from '../../alarm/alarm.ts';
import { DriftStatus, InputsStatus } from '../../drift/drift-work.ts';
import { event, Rule, Text } from './event.ts';

const AlarmDetails = {
  /** The name of the alarm, or of the rule where the policy in force was evaluated without one. */
  alarm: Text,
  kind: AlarmKind,
  /** The pointer's epoch when it was evaluated. */
  epoch: z.int(),
  policy: Digest,
  /** What was measured, and what it means. */
  found: z.string(),
  values: z.record(z.string(), z.number()),
};

/** What happens to what is served, and to its predictions. */
export const SERVING_EVENTS = {
  RELEASE_CONFIRMED: event(
    'the release on probation was confirmed: it stays, and becomes a rollback target',
    z.strictObject({
      confirmation: Text,
      version: Text,
      reason: Text,
      /** What the decision rests on, as a document by digest; null where a person decided and gave none. */
      evidence: Digest.nullable(),
      pointerSeq: z.int(),
      epoch: z.int(),
    }),
  ),
  RELEASE_NOT_SERVED: event(
    'the promoted release is not the one that is served; the promotion rolls back',
    z.strictObject({ promotion: Text, reason: z.string() }),
  ),
  RELEASE_JUDGED: event(
    'the served release was evaluated on arrived labels: it is to be confirmed or rolled back',
    z.strictObject({
      run: Text,
      promotion: Text,
      /** The release that it was compared with. */
      shadow: Digest,
      epoch: z.int(),
      asOf: Text,
      days: z.int(),
      policy: Digest,
      verdict: z.enum(['CONFIRM', 'ROLL_BACK']),
      rule: Text,
      reason: Text,
      /** How many rows were served, and how many of them have a label. */
      maturity: z.strictObject({ served: z.int(), matured: z.int(), share: z.number() }),
      /** The relative gain that decided, and its interval, where something could be said. */
      point: z.number().exactOptional(),
      interval: z.array(z.number()).length(2).exactOptional(),
      measures: z.strictObject({ fast: Digest.nullable(), slow: Digest.nullable() }),
    }),
    true,
  ),
  DRIFT_CHECKED: event(
    'inputs, losses and features of the served release were compared with those at its promotion',
    z.strictObject({
      run: Text,
      asOf: Text,
      /** The newest day that predictions were published for; null where there is none that is fresh. */
      day: Text.nullable(),
      epoch: z.int(),
      policy: Digest,
      status: DriftStatus,
      /** What each part says by itself; `insufficient` is never taken for stable. */
      inputs: InputsStatus,
      concept: z.enum(['stable', 'drifted', 'pending', 'insufficient']),
      disagreement: z.enum(['stable', 'skewed', 'none', 'insufficient']),
      parity: z.enum(['same', 'differs', 'insufficient']),
      /** The stable input that moved most, by its population stability index, and the index above which it has drifted. */
      worst: z.strictObject({ input: Text, index: z.number() }).nullable(),
      limit: z.number(),
      reasons: z.array(z.string()).max(8),
      measures: z.strictObject({ stability: Digest.nullable(), concept: Digest.nullable() }),
    }),
    { unless: ['status', 'stable'] },
  ),
  DRIFT_HANDLED: event(
    'drift in prod was handled: dev started a retraining, or recorded why not',
    z.strictObject({
      peer: Text,
      seq: z.int(),
      record: Digest,
      asOf: Text,
      answer: z.enum(['retraining', 'deferred']),
      /** The run that was started, or the one that a deferral rests on. */
      run: Text,
      reason: z.string(),
    }),
  ),
  RUN_FAILED: event(
    'an execution of a state machine failed by a fault',
    z.strictObject({ machine: Text, run: Text, state: Text, error: z.string() }),
    true,
  ),
  ITEM_FAILED: event(
    'a function keeps failing on one item; the other items are processed',
    z.strictObject({ function: Text, item: Text, error: Text, found: z.string(), since: z.iso.datetime() }),
    true,
  ),
  RELEASE_ROLLED_BACK: event(
    'the pointer was rolled back and the release that it named was quarantined',
    z.strictObject({
      rollback: Text,
      version: Text,
      from: Digest,
      reason: Text,
      /** Versions that were confirmed after the one that is served again: a person has named an older one. */
      skipped: z.array(Text).exactOptional(),
      pointerSeq: z.int(),
      epoch: z.int(),
    }),
    true,
  ),
  QUARANTINE_VOTE_VERIFIED: event(
    'a signed vote to lift a quarantine was verified and recorded',
    z.strictObject({ rollback: Text, version: Text, subject: Text, role: Text, reason: z.string(), statement: Digest }),
  ),
  QUARANTINE_LIFTED: event(
    'an automatic quarantine was lifted; the release can be promoted again',
    z.strictObject({ rollback: Text, version: Text, approvedBy: z.array(z.string()) }),
  ),
  ROLLBACK_TRIGGERED: event(
    'an alarm has triggered a rollback: what was measured proves it',
    z.strictObject({ ...AlarmDetails, rollback: Text }),
    true,
  ),
  ROLLBACK_NOT_TRIGGERED: event(
    'an alarm fired and no rollback was triggered',
    z.strictObject({ ...AlarmDetails, verdict: z.enum(['page', 'none']) }),
    { unless: ['verdict', 'none'] },
  ),
  SERVING_RULES_DIFFER: event(
    'alarms are deployed with other thresholds than are in force; those in force decide',
    z.strictObject({ deployed: Digest, inForce: Digest, found: z.string() }),
    true,
  ),
  ROLLBACK_VERIFIED: event(
    'it was verified whether the release of a rollback is what answers',
    z.strictObject({ rollback: Text, result: z.enum(['COMPLETE', 'PARTIAL', 'UNABLE']), found: z.string() }),
    { unless: ['result', 'COMPLETE'] },
  ),
  ROLLBACK_REFUSED: event(
    'a rollback was refused',
    z.strictObject({ rollback: Text, rule: Rule, found: z.string() }),
    true,
  ),
  PREDICTIONS_PUBLISHED: event(
    'a batch inference run published predictions or lists of aggregates, or found nothing to do',
    z.strictObject({
      run: Text,
      kind: z.enum(['none', 'aggregates', 'partial', 'full']),
      /** A run that publishes more than a transaction can carry does so in parts, each with its record. */
      part: z.int().min(1),
      parts: z.int().min(1),
      partitions: z.int(),
      rows: z.int(),
      manifest: Digest.nullable(),
      epoch: z.int(),
      /** Lists of daily aggregates that the last part published, and those that it was to replace and did not. */
      lists: z.strictObject({ published: z.int().nonnegative(), kept: z.int().nonnegative() }).exactOptional(),
    }),
  ),
  ROWS_NOT_PUBLISHED: event(
    'prediction rows are not published for look-up: their entity or id does not fit a key',
    z.strictObject({ run: Text, rows: z.int().min(1), examples: z.array(z.string()).max(4) }),
    true,
  ),
  PREDICTIONS_BLOCKED: event(
    'days that are due cannot be built or scored; each batch run retries them',
    z.strictObject({
      run: Text,
      rule: Rule,
      found: z.string(),
      remedy: z.string(),
      days: z.array(z.string()).min(1).max(40),
      count: z.int().min(1),
    }),
    true,
  ),
  PREDICTIONS_OVERDUE: event(
    'days have no predictions of the served release within the service level',
    z.strictObject({
      hours: z.number(),
      days: z.array(z.string()).min(1).max(40),
      count: z.int().min(1),
      /** The newest day that has predictions of the served release. */
      newest: Text.nullable(),
      causes: z.array(z.string()).max(4),
    }),
    true,
  ),
  PARTITION_REFUSED: event(
    'a landed partition failed admission; it is not read until it lands again',
    z.strictObject({ kind: Text, day: z.string(), rule: Rule, found: z.string(), remedy: z.string().exactOptional() }),
    true,
  ),
  PARTITION_WITHDRAWN: event(
    'the ready marker of an admitted partition was removed: the partition counts as empty',
    z.strictObject({ kind: Text, day: Text, version: z.int(), digest: Digest }),
    true,
  ),
} as const;
