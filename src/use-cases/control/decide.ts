import { type Decision, decidedAlready, decideOn, type DecisionInput } from '#domain/control/decision.ts';
import { personOf } from '#domain/control/person.ts';
import { type Refusal, refusal } from '#domain/refusal/refusal.ts';
import type { Directory } from '#ports/directory.ts';
import { findApprovalRequest, findDecision } from '#read-model/requests.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

export interface Deciding extends Recording {
  readonly directory: Directory;
}

export type DecideResult =
  | { readonly kind: 'decided'; readonly decision: Decision; readonly seq: number; readonly statement: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Records a person's decision in control's chain, which is how it gets signed and reaches the target. Whether the
 * person may decide is read now, from the directory, whatever the token says.
 */
export async function decide(deps: Deciding, username: string, input: DecisionInput): Promise<DecideResult> {
  const subject = personOf(username);
  const { model, promotion } = input;
  const outcome = decideOn(
    {
      request: await findApprovalRequest(deps.ledger, model, promotion),
      earlier: await findDecision(deps.ledger, model, promotion, subject),
      subject,
      groups: await deps.directory.groupsOf(username),
    },
    input,
    deps.clock.now(),
  );
  if (outcome.kind === 'refuse') return { kind: 'refused', refusal: outcome.refusal };
  const { decision, writes, event } = outcome;
  const operation = operationName('decide', promotion, subject);
  const result = await recordChange(deps, { model, operation, writes, event });
  if (result.kind === 'recorded') return { kind: 'decided', decision, seq: result.seq, statement: result.hash };
  const first = await findDecision(deps.ledger, model, promotion, subject);
  if (first !== undefined) return { kind: 'refused', refusal: decidedAlready(first) };
  return {
    kind: 'refused',
    refusal: refusal('promotion-open', 'it ended in the meantime'),
  };
}
