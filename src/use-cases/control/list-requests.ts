import { Decision } from '#domain/control/decision.ts';
import { ApprovalRequest } from '#domain/control/request.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Ledger } from '#ports/ledger.ts';
import { findRequest } from './receive-request.ts';

/** A request together with what people have said so far. */
export interface RequestWithDecisions {
  readonly request: ApprovalRequest;
  readonly decisions: readonly Decision[];
}

/** The requests of these models, newest first. */
export async function listRequests(ledger: Ledger, models: readonly string[]): Promise<readonly ApprovalRequest[]> {
  const items = await Promise.all(models.map((model) => ledger.query(keys.requests(model))));
  const requests = items.flat().map((item) => withoutKey(ApprovalRequest, item));
  return requests.sort((a, b) => (a.requestedAt < b.requestedAt ? 1 : -1));
}

/** One request and its decisions. */
export async function showRequest(
  ledger: Ledger,
  model: string,
  promotion: string,
): Promise<RequestWithDecisions | undefined> {
  const request = await findRequest(ledger, model, promotion);
  if (request === undefined) return undefined;
  const items = await ledger.query(keys.decisions(model), { from: `${promotion}#`, to: `${promotion}#\uFFFF` });
  return { request, decisions: items.map((item) => withoutKey(Decision, item)) };
}
