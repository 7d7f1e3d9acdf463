import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';
import { DriftStatus, InputsStatus } from '../drift/drift-work.ts';
import { Verdict } from '../gates/gate.ts';
import { Hotfix } from '../policy/policy.ts';
import { Refusal } from '../refusal/refusal.ts';

const Text = z.string().min(1);
const Rule = Refusal.shape.rule;

/** What is said of every data check: how much was looked at, for which training, by which policy, and where all of it stands. */
const DATA_CHECK = {
  run: Text,
  partitions: z.int(),
  rows: z.int(),
  /** The plan of the training that was about to begin; null where data had just arrived. */
  training: Digest.nullable(),
  policy: Digest,
  evidence: Digest,
};

interface EventDefinition<T extends z.ZodType> {
  /** One sentence for the generated catalogue. */
  readonly meaning: string;
  /** Whether people are told through the alert topic: always, never, or unless a detail says that all is well. */
  readonly alert: Alert;
  readonly details: T;
}

type Alert = boolean | { readonly unless: readonly [detail: string, value: string] };

function event<T extends z.ZodType>(meaning: string, details: T, alert: Alert = false): EventDefinition<T> {
  return { meaning, alert, details };
}

/** The registry of everything that an audit trail can say. Codes are stable; details are small (a record is at most 4 KB). */
export const AUDIT_EVENTS = {
  RETRAINING_STARTED: event('a retraining run was opened', z.strictObject({ run: Text, asOf: Text, trigger: Text })),
  DATA_VALIDATED: event(
    'new data, or the data of a training run, meets the data rules of the policy and the expectation suites',
    z.strictObject(DATA_CHECK),
  ),
  DATA_REFUSED: event(
    'data fails the data rules of the policy or the expectation suites, or could not be validated',
    z.strictObject({ ...DATA_CHECK, verdict: z.enum(['FAIL', 'INCONCLUSIVE']), reasons: z.array(z.string()).max(12) }),
    true,
  ),
  BASELINE_REGISTERED: event(
    'the constant base-rate release of the model was registered',
    z.strictObject({ version: Text, run: Text, asOf: Text, baseRate: z.number() }),
  ),
  RELEASE_REGISTERED: event(
    'a trained release was registered',
    z.strictObject({
      version: Text,
      reason: Text,
      run: Text,
      asOf: Text,
      window: Text,
      fingerprint: Digest,
      /** The evidence by which its data was accepted before it was trained. */
      dataCheck: Digest.exactOptional(),
    }),
  ),
  RELEASE_REPORTED: event(
    'the evaluation report of a candidate was attached to its registration',
    z.strictObject({ version: Text, run: Text, html: Digest, json: Digest }),
  ),
  RELEASE_OFFERED: event(
    'a candidate proved better than the champion in dev and is offered to the next environment',
    z.strictObject({
      version: Text,
      run: Text,
      asOf: Text,
      /** The policy by which dev decided to offer; what admits is the one that is in force where the release goes. */
      policy: Digest.exactOptional(),
      champion: Digest,
      measure: Digest,
      improvement: z.number(),
      dataCheck: Digest.exactOptional(),
    }),
  ),
  CANDIDATES_REJECTED: event(
    'all candidates of a retraining run were rejected',
    z.strictObject({ run: Text, asOf: Text, policy: Digest.exactOptional(), reasons: z.array(z.string()).max(12) }),
    true,
  ),
  CANDIDATES_HELD: event(
    'the evidence of a retraining run is inconclusive: nothing is promoted',
    z.strictObject({ run: Text, asOf: Text, policy: Digest.exactOptional(), reasons: z.array(z.string()).max(12) }),
    true,
  ),
  POLICY_ACTIVATED: event(
    'a policy was activated',
    z.strictObject({ policy: Digest, replaces: Digest.nullable(), approvedBy: z.array(z.string()) }),
  ),
  POLICY_VOTE_VERIFIED: event(
    'a signed policy activation vote was verified and recorded',
    z.strictObject({ policy: Digest, replaces: Digest, subject: Text, role: Text, statement: Digest }),
  ),
  PROMOTION_REQUEST_VERIFIED: event(
    'a signed record that requests a promotion was verified; the promotion machine starts',
    z.strictObject({
      promotion: Text,
      transition: Text,
      requestedBy: Text,
      peer: Text,
      seq: z.int().nonnegative(),
      record: Digest,
    }),
  ),
  PROMOTION_OPENED: event(
    'a promotion acquired the lock and pinned its policy',
    z.strictObject({
      promotion: Text,
      transition: Text,
      policy: Digest,
      fencingToken: z.int(),
      requestedBy: Text,
      hotfix: Hotfix.exactOptional(),
      supersedes: Text.nullable(),
    }),
  ),
  EVIDENCE_RECORDED: event(
    'a gate evaluated a release',
    z.strictObject({
      promotion: Text,
      gate: Text,
      verdict: Verdict,
      provisional: z.literal(true).exactOptional(),
      reasons: z.array(z.string()).max(8),
      measure: Digest.nullable(),
    }),
  ),
  APPROVAL_REQUESTED: event(
    'approval of a promotion was requested',
    z.strictObject({
      promotion: Text,
      transition: Text,
      version: Text,
      policy: Digest,
      evidence: Digest,
      requestedBy: Text,
      hotfix: Hotfix.exactOptional(),
      approvals: z.array(z.strictObject({ role: Text, count: z.int() })),
      expiresAt: z.iso.datetime(),
      summary: z.array(z.string()).max(12),
    }),
  ),
  APPROVAL_RECORDED: event(
    'a signed approval or rejection was verified and recorded',
    z.strictObject({
      promotion: Text,
      subject: Text,
      role: Text,
      decision: z.enum(['approve', 'reject']),
      statement: Digest,
    }),
  ),
  DECISION_REFUSED: event(
    'a decision failed verification and does not count',
    z.strictObject({ promotion: Text, subject: Text, rule: Rule, found: z.string(), statement: Digest }),
    true,
  ),
  RELEASE_PROMOTED: event(
    'the pointer was switched to a release',
    z.strictObject({
      promotion: Text,
      transition: Text,
      kind: z.enum(['trained', 'baseline']),
      version: Text,
      asOf: Text,
      replaces: Digest.nullable(),
      pointerSeq: z.int(),
      epoch: z.int(),
      requestedBy: Text,
      approvedBy: z.array(z.string()),
      /** Why it came past staging, if it did. */
      hotfix: Hotfix.exactOptional(),
      /** Until when it has to be confirmed, where it was promoted on probation. */
      probationUntil: z.iso.datetime().exactOptional(),
    }),
  ),
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
  PROMOTION_REFUSED: event(
    'a promotion was refused; the release was not promoted',
    z.strictObject({ promotion: Text, rule: Rule, reasons: z.array(z.string()).max(12) }),
    true,
  ),
  PROMOTION_FAILED: event(
    'a promotion failed by a fault',
    z.strictObject({ promotion: Text, state: Text, error: z.string() }),
    true,
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
      pointerSeq: z.int(),
      epoch: z.int(),
    }),
    true,
  ),
  ROLLBACK_REFUSED: event(
    'a rollback was refused',
    z.strictObject({ rollback: Text, rule: Rule, found: z.string() }),
    true,
  ),
  INCIDENT_OPENED: event(
    'an incident was opened',
    z.strictObject({ incident: Text, rollback: Text, reason: Text, affected: z.int() }),
    true,
  ),
  PREDICTIONS_PUBLISHED: event(
    'a batch inference run published predictions, or found nothing to do',
    z.strictObject({
      run: Text,
      kind: z.enum(['none', 'partial', 'full']),
      /** A run that publishes more than a transaction can carry does so in parts, each with its record. */
      part: z.int().min(1),
      parts: z.int().min(1),
      partitions: z.int(),
      rows: z.int(),
      manifest: Digest.nullable(),
      epoch: z.int(),
    }),
  ),
  PEER_VERIFICATION_FAILED: event(
    'a record, pointer or key that a peer published failed verification',
    z.strictObject({ peer: Text, seq: z.int(), rule: Rule, found: z.string() }),
    true,
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
  PEER_KEY_PINNED: event(
    'the signing key of a peer was pinned at first contact (trust on first use)',
    z.strictObject({ peer: Text, keyid: Text }),
  ),
  UPSTREAM_RELEASED: event(
    'a peer registered or promoted a release; one promoted upstream may be requested here',
    z.strictObject({ peer: Text, seq: z.int(), record: Digest, version: Text }),
  ),
  UPSTREAM_ROLLED_BACK: event(
    'a release was rolled back upstream and cannot be promoted here',
    z.strictObject({ peer: Text, seq: z.int(), record: Digest, version: Text }),
  ),
  RELEASED_VERSION_RECORDED: event(
    'prod serves another release: the next versions are computed against it',
    z.strictObject({ peer: Text, seq: z.int(), record: Digest, version: Text }),
  ),
  REQUEST_RECEIVED: event(
    'an approval request of an environment arrived in control',
    z.strictObject({ environment: Text, promotion: Text, record: Digest }),
  ),
  APPROVERS_NOTIFIED: event(
    'the approvers were notified of an approval request',
    z.strictObject({ environment: Text, promotion: Text }),
  ),
  REQUEST_CLOSED: event(
    'an approval request was closed: its promotion ended',
    z.strictObject({ environment: Text, promotion: Text, status: Text, record: Digest }),
  ),
  PROMOTION_REQUESTED: event(
    'a person requested a promotion',
    z.strictObject({ environment: Text, version: Text, requestedBy: Text, hotfix: Hotfix.exactOptional() }),
  ),
  POLICY_VOTED: event(
    'a person voted to activate a policy',
    z.strictObject({
      environment: Text,
      policy: Digest,
      replaces: Digest,
      activation: z.int().min(1),
      subject: Text,
      role: Text,
      comment: z.string().max(500),
    }),
  ),
  DECISION_MADE: event(
    'a person approved or rejected a promotion',
    z.strictObject({
      environment: Text,
      promotion: Text,
      transition: Text,
      policy: Digest,
      evidence: Digest,
      subject: Text,
      role: Text,
      decision: z.enum(['approve', 'reject']),
      comment: z.string().max(500),
      expiresAt: z.iso.datetime(),
    }),
  ),
} as const;

export type AuditCode = keyof typeof AUDIT_EVENTS;

/** Whether an event is alerted. */
export function isAlerting(code: AuditCode, details: Readonly<Record<string, unknown>>): boolean {
  const alert: Alert = AUDIT_EVENTS[code].alert;
  return typeof alert === 'boolean' ? alert : details[alert.unless[0]] !== alert.unless[1];
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
