import { z } from 'zod';
import type { AuditEvent } from '../audit/events.ts';
import { Digest } from '../canonical/digest.ts';
import { type Refusal, refusal, type Refusing } from '../refusal/refusal.ts';
import { ABSENT, equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { ModelName } from '../model/definition.ts';
import { Role } from '../policy/role.ts';
import { SeenText } from '../text.ts';
import { Person } from './person.ts';
import type { ApprovalRequest } from './request.ts';

/** What a signed-in person says. `release` and `evidence` are what was on the screen; a decision about other ones is refused. */
export const DecisionInput = z.strictObject({
  model: ModelName,
  promotion: z.string().min(1).max(200),
  decision: z.enum(['approve', 'reject']),
  role: Role.optional(),
  comment: SeenText.max(500).default(''),
  release: Digest.optional(),
  evidence: Digest.optional(),
});
export type DecisionInput = z.infer<typeof DecisionInput>;

/** A person's one decision on a promotion, as control's ledger holds it. */
export const Decision = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  promotion: z.string().min(1),
  subject: Person,
  role: Role,
  decision: z.enum(['approve', 'reject']),
  comment: z.string(),
  requestHash: Digest,
  at: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});
export type Decision = z.infer<typeof Decision>;

/** What a decision is judged by: read at the moment of the decision, never taken from a token. */
export interface DecisionState {
  readonly request: ApprovalRequest | undefined;
  readonly earlier: Decision | undefined;
  readonly subject: string;
  readonly groups: readonly string[];
}

export type DecisionOutcome =
  | {
      readonly kind: 'decide';
      readonly decision: Decision;
      readonly writes: readonly Write[];
      readonly event: AuditEvent;
    }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** Whether a person may decide on a promotion now, and the transaction that says so. */
export function decideOn(state: DecisionState, input: DecisionInput, now: Date): DecisionOutcome {
  const { request, earlier, subject } = state;
  if (request === undefined) {
    return refuse(
      'approval-requested',
      `no approval was requested of ${input.promotion}`,
      'see `gatehouse status` for what waits',
    );
  }
  if (earlier !== undefined) return { kind: 'refuse', refusal: decidedAlready(earlier) };
  if (request.status !== 'waiting') {
    return refuse('promotion-open', `it is ${request.status}: ${request.ending ?? 'it has ended'}`);
  }
  if (!(Date.parse(request.expiresAt) > now.getTime())) {
    return refuse('approval-expired', `people could decide until ${request.expiresAt}`, 'request a new promotion');
  }
  if (input.release !== undefined && input.release !== request.release) {
    return refuse(
      'approval-bound',
      `the promotion is of ${request.release}, not of ${input.release}`,
      'look at the promotion again',
    );
  }
  if (input.evidence !== undefined && input.evidence !== request.evidence) {
    return refuse(
      'approval-bound',
      `the evidence is ${request.evidence}, not ${input.evidence}`,
      'look at the promotion again',
    );
  }
  if (subject === request.requestedBy) {
    return refuse('approval-not-by-requester', `${subject} requested it`);
  }
  const asked = request.approvals.map((rule) => rule.role);
  const fitting = asked.filter((role) => state.groups.includes(role));
  const askedText = asked.join(', ') || 'nobody';
  if (input.role !== undefined && !fitting.includes(input.role)) {
    const found = asked.includes(input.role)
      ? `${subject} is not ${input.role} now`
      : `role ${input.role} is not required`;
    return refuse('approval-role', found, `let a person decide who is ${askedText}`);
  }
  if (fitting.length === 0) {
    const held = state.groups.join(', ') || 'in no role';
    return refuse(
      'approval-role',
      `${subject} is ${held}; required: ${askedText}`,
      `let a person decide who is ${askedText}`,
    );
  }
  const [only, ...others] = input.role === undefined ? fitting : [input.role];
  if (only === undefined || others.length > 0) {
    return refuse('approval-role-named', `${subject} is ${fitting.join(' and ')}`);
  }
  return outcome(request, subject, only, input, now);
}

function refuse(...why: Refusing): DecisionOutcome {
  return { kind: 'refuse', refusal: refusal(...why) };
}

/** The refusal of a second decision by the same person, in whatever role. */
export function decidedAlready(earlier: Decision): Refusal {
  const { subject, decision, role, at } = earlier;
  return refusal('approval-once', `${subject} decided "${decision}" as ${role} at ${at}`);
}

function outcome(
  request: ApprovalRequest,
  subject: string,
  role: Role,
  input: DecisionInput,
  now: Date,
): DecisionOutcome {
  const decision: Decision = {
    formatVersion: 1,
    model: request.model,
    promotion: request.promotion,
    subject,
    role,
    decision: input.decision,
    comment: input.comment,
    requestHash: request.requestHash,
    at: now.toISOString(),
    // A person decides once, so that their word lasts as long as the others have to give theirs.
    expiresAt: request.expiresAt,
  };
  const { environment, promotion, transition, policy, evidence } = request;
  return {
    kind: 'decide',
    decision,
    writes: [
      { kind: 'put', item: { ...keys.decision(request.model, promotion, subject), ...decision }, condition: ABSENT },
      {
        kind: 'check',
        key: keys.request(request.model, promotion),
        condition: equals({ status: 'waiting', requestHash: request.requestHash, expiresAt: request.expiresAt }),
      },
    ],
    event: {
      code: 'DECISION_MADE',
      actor: subject,
      release: request.release,
      details: {
        environment,
        promotion,
        transition,
        policy,
        evidence,
        subject,
        role,
        decision: input.decision,
        comment: input.comment,
        expiresAt: decision.expiresAt,
      },
    },
  };
}
