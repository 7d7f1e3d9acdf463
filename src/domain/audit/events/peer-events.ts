import { z } from 'zod';
import { Digest } from '../../canonical/digest.ts';
import { CanaryRequest } from '../../policy/canary.ts';
import { Hotfix } from '../../policy/policy.ts';
import { event, Rule, Text } from './event.ts';

/** What environments hear of each other, and of people. */
export const PEER_EVENTS = {
  PEER_VERIFICATION_FAILED: event(
    'a record, pointer or key that a peer published failed verification',
    z.strictObject({ peer: Text, seq: z.int(), rule: Rule, found: z.string() }),
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
    z.strictObject({
      environment: Text,
      version: Text,
      requestedBy: Text,
      hotfix: Hotfix.exactOptional(),
      canaryRequest: CanaryRequest.exactOptional(),
    }),
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
  QUARANTINE_VOTED: event(
    'a person voted to lift the quarantine of a release',
    z.strictObject({ environment: Text, rollback: Text, subject: Text, role: Text, reason: z.string().max(500) }),
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
