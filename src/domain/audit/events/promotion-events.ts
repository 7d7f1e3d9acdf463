import { z } from 'zod';
import { Attested } from '../../attestation/attestation.ts';
import { Digest } from '../../canonical/digest.ts';
import { Verdict } from '../../gates/gate.ts';
import { Hotfix } from '../../policy/policy.ts';
import { event, Rule, Text } from './event.ts';

/** What happens on the way of a release into an environment. */
export const PROMOTION_EVENTS = {
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
  ATTESTED: event(
    'a report of a tool, or a task of this environment, attests something of a commit or a release',
    Attested,
  ),
  ATTESTATION_VERIFIED: event(
    'a signed record that attests something was verified and recorded; gates judge it when they are evaluated',
    z.strictObject({
      gate: Text,
      commit: Text.nullable(),
      peer: Text,
      seq: z.int().nonnegative(),
      record: Digest,
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
  AGGREGATES_PUBLISHED: event(
    'daily aggregates that endpoints load were published for a release, before the pointer names it',
    z.strictObject({ promotion: Text, basis: Digest, list: Digest, epoch: z.int().nonnegative() }),
  ),
  CANARY_OPENED: event(
    'the approvals of a promotion suffice; its candidate is watched before it is promoted',
    z.strictObject({
      promotion: Text,
      version: Text,
      approvedBy: z.array(z.string()),
      shadowOnly: z.literal(true).exactOptional(),
    }),
  ),
  CANARY_STARTED: event(
    'a candidate began to answer a part of the requests; a blue/green one is loaded and answers none',
    z.strictObject({
      promotion: Text,
      /** Of the champion, which this record is about. */
      version: Text,
      candidate: Digest,
      candidateVersion: Text,
      kind: z.enum(['canary', 'ab', 'blue-green']),
      /** Of the requests, that the candidate answers. */
      share: z.number(),
      hours: z.number(),
      assignment: z.enum(['event', 'entity']),
      salt: Text,
      until: z.iso.datetime(),
      planSeq: z.int(),
      pointerSeq: z.int(),
      epoch: z.int(),
    }),
  ),
  CANARY_PAUSED: event(
    'a canary is not judged: requests or data are missing; its time is not counted',
    z.strictObject({ promotion: Text, found: z.string(), minutes: z.int(), until: z.iso.datetime() }),
    true,
  ),
  CANARY_ENDED: event(
    'a canary or its shadow ended, and the champion answers all requests again',
    z.strictObject({
      promotion: Text,
      version: Text,
      candidate: Digest,
      candidateVersion: Text,
      /** `aborted`: a gate failed, and the candidate is quarantined; `stopped`: for any other reason than the candidate. */
      verdict: z.enum(['finished', 'aborted', 'stopped']),
      found: z.string(),
      quarantined: z.boolean(),
      /** Null where no traffic was divided. */
      pointerSeq: z.int().nullable(),
      epoch: z.int(),
    }),
    { unless: ['verdict', 'finished'] },
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
} as const;
