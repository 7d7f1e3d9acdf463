import { canonicalJson } from '#domain/canonical/digest.ts';
import { personOf } from '#domain/control/person.ts';
import { requestEvent, type PromotionRequestBody, whyNotRequestable } from '#domain/control/promotion-request-body.ts';
import { type Refusal, refusal } from '#domain/refusal/refusal.ts';
import type { Directory } from '#ports/directory.ts';
import { findRecord } from '#read-model/chain.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

export interface Asking extends Recording {
  readonly directory: Directory;
  /** The models that are deployed: nobody starts a chain of another name. */
  readonly models: readonly string[];
}

export type RequestResult =
  | { readonly kind: 'requested'; readonly seq: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Records in control's chain that a person asks for a promotion; the target pulls it and opens the promotion, or refuses. */
export async function requestPromotion(
  deps: Asking,
  username: string,
  ask: PromotionRequestBody,
): Promise<RequestResult> {
  const subject = personOf(username);
  const unfit = whyNotRequestable(ask, deps.models, subject, await deps.directory.groupsOf(username));
  if (unfit !== undefined) return { kind: 'refused', refusal: unfit };
  const event = requestEvent(ask, subject);
  const operation = operationName('request', subject, ask.requestId);
  const result = await recordChange(deps, { model: ask.model, operation, writes: [], event });
  if (result.kind === 'refused') {
    return {
      kind: 'refused',
      refusal: refusal('request-recorded', 'nothing was recorded'),
    };
  }
  if (result.kind === 'already-recorded' && !(await says(deps, ask, result.seq, event))) {
    return {
      kind: 'refused',
      refusal: refusal('request-id-once', `${ask.requestId} is of another request`),
    };
  }
  return { kind: 'requested', seq: result.seq };
}

async function says(
  deps: Asking,
  ask: PromotionRequestBody,
  seq: number,
  event: ReturnType<typeof requestEvent>,
): Promise<boolean> {
  const record = await findRecord(deps.ledger, ask.model, seq);
  return record?.release === ask.release && canonicalJson(record.details) === canonicalJson(event.details);
}
