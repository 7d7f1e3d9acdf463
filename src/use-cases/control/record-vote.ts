import type { AuditEvent } from '#domain/audit/events.ts';
import { personOf } from '#domain/control/person.ts';
import { whyUnknownModel } from '#domain/control/promotion-request-body.ts';
import { voteAs } from '#domain/control/vote-as.ts';
import type { Role } from '#domain/policy/role.ts';
import { type Refusal, refusal } from '#domain/refusal/refusal.ts';
import { operationName, recordChange } from '#use-cases/audit/record-change.ts';
import type { Asking } from './request-promotion.ts';

export type VoteResult =
  | { readonly kind: 'decided'; readonly role: Role; readonly seq: number; readonly statement: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What a vote is about: the words that name it, and the event by which its target learns of it. */
interface Voting {
  readonly verb: string;
  readonly about: readonly (string | number)[];
  readonly eventOf: (subject: string, role: Role) => AuditEvent;
}

/** Records a person's vote in control's chain; the target pulls it, and counts. */
export async function recordVote(
  deps: Asking,
  username: string,
  { model, role }: { readonly model: string; readonly role?: Role | undefined },
  { verb, about, eventOf }: Voting,
): Promise<VoteResult> {
  const subject = personOf(username);
  const unknown = whyUnknownModel(model, deps.models);
  if (unknown !== undefined) return { kind: 'refused', refusal: unknown };
  const as = voteAs(role, subject, await deps.directory.groupsOf(username));
  if (as.kind === 'refuse') return { kind: 'refused', refusal: as.refusal };
  // A vote that has expired may be cast again: hence the minute in its name.
  const minute = deps.clock.now().toISOString().slice(0, 16);
  const result = await recordChange(deps, {
    model,
    operation: operationName(verb, ...about, subject, as.role, minute),
    writes: [],
    event: eventOf(subject, as.role),
  });
  if (result.kind === 'refused')
    return { kind: 'refused', refusal: refusal('request-recorded', 'nothing was recorded') };
  return { kind: 'decided', role: as.role, seq: result.seq, statement: result.hash };
}
