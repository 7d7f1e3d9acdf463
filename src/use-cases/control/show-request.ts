import type { Decision } from '#domain/control/decision.ts';
import type { ApprovalRequest } from '#domain/control/request.ts';
import type { Ledger } from '#ports/ledger.ts';
import { findApprovalRequest, readDecisions } from '#read-model/requests.ts';

/** A request together with what people have said so far. */
export interface RequestWithDecisions {
  readonly request: ApprovalRequest;
  readonly decisions: readonly Decision[];
}

/** One request and its decisions. */
export async function showRequest(
  ledger: Ledger,
  model: string,
  promotion: string,
): Promise<RequestWithDecisions | undefined> {
  const request = await findApprovalRequest(ledger, model, promotion);
  if (request === undefined) return undefined;
  return { request, decisions: await readDecisions(ledger, model, promotion) };
}
