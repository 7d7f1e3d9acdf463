import { z } from 'zod';
import type { AuditEvent } from '../audit/events.ts';
import { Digest } from '../canonical/digest.ts';
import { ModelName } from '../model/definition.ts';
import { TargetEnvironment } from '../policy/policy.ts';
import { Role } from '../policy/role.ts';
import { SeenText } from '../text.ts';

/** The vote of a signed-in person to lift the quarantine that a rollback made. */
export const QuarantineVote = z.strictObject({
  model: ModelName,
  environment: TargetEnvironment,
  release: Digest,
  /** The rollback that made the quarantine which they saw: the vote counts for no other one of the same digest. */
  rollback: SeenText.min(1).max(200),
  role: Role.optional(),
  reason: SeenText.min(3).max(500),
});
export type QuarantineVote = z.infer<typeof QuarantineVote>;

/** The event by which the target learns of it. */
export function quarantineEvent(vote: QuarantineVote, subject: string, role: Role): AuditEvent {
  const { environment, release, rollback, reason } = vote;
  return {
    code: 'QUARANTINE_VOTED',
    actor: subject,
    release,
    details: { environment, rollback, subject, role, reason },
  };
}
