import type { AuditRecord } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { endingOf, requestOf, requestWrite } from '#domain/control/request.ts';
import type { Notices } from '#ports/notices.ts';
import { findApprovalRequest } from '#read-model/requests.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

export interface Receiving extends Recording {
  readonly notices: Notices;
}

/** What control does about a target's record: a request to people is kept and told, an ended promotion closes its request. */
export function receiveRequest(deps: Receiving): (record: AuditRecord, hash: Digest) => Promise<void> {
  return async (record, hash) => {
    if (record.code === 'APPROVAL_REQUESTED') await keep(deps, record, hash);
    const ended = endingOf(record);
    if (ended !== undefined) await close(deps, record, hash, ended);
  };
}

async function keep(deps: Receiving, record: AuditRecord, hash: Digest): Promise<void> {
  const asked = requestOf(record, hash);
  const { model, environment, promotion, release } = asked;
  // A condition that fails means that another delivery of the same record came first.
  await recordChange(deps, {
    model,
    operation: operationName('request-received', hash),
    writes: [requestWrite(undefined, asked)],
    event: {
      code: 'REQUEST_RECEIVED',
      actor: 'pipeline:intake',
      release,
      details: { environment, promotion, record: hash },
    },
  });
  const kept = await findApprovalRequest(deps.ledger, model, promotion);
  if (kept === undefined || kept.isNoticed || kept.status !== 'waiting') return;
  await deps.notices.askApprovers(kept);
  await recordChange(deps, {
    model,
    operation: operationName('approvers-told', hash),
    writes: [requestWrite(kept, { ...kept, isNoticed: true })],
    event: { code: 'APPROVERS_NOTIFIED', actor: 'pipeline:intake', release, details: { environment, promotion } },
  });
}

async function close(
  deps: Receiving,
  record: AuditRecord,
  hash: Digest,
  ended: NonNullable<ReturnType<typeof endingOf>>,
): Promise<void> {
  const { model, environment } = record;
  const request = await findApprovalRequest(deps.ledger, model, ended.promotion);
  // One environment's chain says nothing about another's promotion.
  if (request === undefined || request.environment !== environment || request.status !== 'waiting') return;
  const { promotion, release } = request;
  const result = await recordChange(deps, {
    model,
    operation: operationName('request-closed', hash),
    writes: [requestWrite(request, { ...request, status: ended.status, ending: ended.ending.slice(0, 900) })],
    event: {
      code: 'REQUEST_CLOSED',
      actor: 'pipeline:intake',
      release,
      details: { environment, promotion, status: ended.status, record: hash },
    },
  });
  // The approvers were told while this was read: the end must not get lost with the condition.
  if (result.kind === 'refused') await close(deps, record, hash, ended);
}
