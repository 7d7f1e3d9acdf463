import { Decision } from '#domain/control/decision.ts';
import { ApprovalRequest } from '#domain/control/request.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find, list, newestFirst, startingWith } from './items.ts';

/** A request that waits, or waited, for people. */
export async function findApprovalRequest(
  ledger: ReadableLedger,
  model: string,
  promotion: string,
): Promise<ApprovalRequest | undefined> {
  return find(ledger, keys.request(model, promotion), ApprovalRequest);
}

/** The requests of these models, newest first. */
export async function readApprovalRequests(
  ledger: ReadableLedger,
  models: readonly string[],
): Promise<readonly ApprovalRequest[]> {
  const found = await Promise.all(models.map((model) => list(ledger, keys.requests(model), ApprovalRequest)));
  return newestFirst(found.flat(), ({ requestedAt }) => requestedAt);
}

/** What a person decided on a promotion. */
export async function findDecision(
  ledger: ReadableLedger,
  model: string,
  promotion: string,
  subject: string,
): Promise<Decision | undefined> {
  return find(ledger, keys.decision(model, promotion, subject), Decision);
}

/** What people decided on a promotion. */
export async function readDecisions(
  ledger: ReadableLedger,
  model: string,
  promotion: string,
): Promise<readonly Decision[]> {
  return list(ledger, keys.decisions(model), Decision, startingWith(`${promotion}#`));
}
