import type { AuditRecord } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { ApprovalRequest, endingOf, requestOf, requestWrite } from '#domain/control/request.ts';
import { unkey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { Notices } from '#ports/notices.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import type { RecordHandler } from '#use-cases/intake/read-peer.ts';

export interface Receiving {
  readonly ledger: Ledger;
  readonly notices: Notices;
}

/**
 * What control does about a target's record: a request to people is kept and told, an ended promotion closes its
 * request. Requests are derived from the targets' signed chains, so they are no audited change of their own.
 */
export function receiveRequest(deps: Receiving): RecordHandler {
  return async (record, hash) => {
    if (record.code === 'APPROVAL_REQUESTED') await keep(deps, record, hash);
    const ended = endingOf(record);
    if (ended === undefined) return;
    const request = await findRequest(deps.ledger, record.model, ended.promotion);
    // One environment's chain says nothing about another's promotion.
    if (request === undefined || request.environment !== record.environment || request.status !== 'waiting') return;
    await replace(deps, request, { ...request, status: ended.status, ending: ended.ending.slice(0, 900) });
  };
}

/** A request that waits, or waited, for people. */
export async function findRequest(
  ledger: Ledger,
  model: string,
  promotion: string,
): Promise<ApprovalRequest | undefined> {
  const item = await ledger.get(keys.request(model, promotion));
  return item === undefined ? undefined : unkey(ApprovalRequest, item);
}

async function keep(deps: Receiving, record: AuditRecord, hash: Digest): Promise<void> {
  const asked = requestOf(record, hash);
  await replace(deps, undefined, asked);
  const kept = await findRequest(deps.ledger, asked.model, asked.promotion);
  if (kept === undefined || kept.isNoticed || kept.status !== 'waiting') return;
  await deps.notices.askApprovers(kept);
  await replace(deps, kept, { ...kept, isNoticed: true });
}

/** A condition that fails means that another delivery of the same record came first. */
async function replace(deps: Receiving, previous: ApprovalRequest | undefined, next: ApprovalRequest): Promise<void> {
  const token = operationName('r', next.model, next.promotion, next.status, String(next.isNoticed));
  await deps.ledger.transact([requestWrite(previous, next)], token);
}
