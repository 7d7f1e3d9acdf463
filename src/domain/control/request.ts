import { z } from 'zod';
import { type AuditRecord, detailsOf } from '../audit/chain.ts';
import { Digest } from '../canonical/digest.ts';
import { equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { ModelName } from '../model/definition.ts';
import { Hotfix, TargetEnvironment, Transition } from '../policy/policy.ts';
import { Role } from '../policy/role.ts';
import { Version } from '../release/registration.ts';

/** What waits for people in control, as a target's signed chain asked for it; its ending is what that chain said last. */
export const ApprovalRequest = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  promotion: z.string().min(1),
  environment: TargetEnvironment,
  status: z.enum(['waiting', 'promoted', 'refused', 'failed', 'superseded']),
  release: Digest,
  transition: Transition,
  version: Version,
  policy: Digest,
  /** The one digest over the evidence that people are shown. */
  evidence: Digest,
  approvals: z.array(z.strictObject({ role: Role, count: z.int().min(1) })),
  requestedBy: z.string().min(1),
  hotfix: Hotfix.exactOptional(),
  requestedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  summary: z.array(z.string()),
  /** The hash of the record that asked. */
  requestHash: Digest,
  /** Whether the approvers have been told; a notice that got lost is sent again when the record is. */
  isNoticed: z.boolean(),
  ending: z.string().nullable(),
});
export type ApprovalRequest = z.infer<typeof ApprovalRequest>;

/** The request that a target's record makes. */
export function requestOf(record: AuditRecord, hash: Digest): ApprovalRequest {
  const details = detailsOf(record, 'APPROVAL_REQUESTED');
  return ApprovalRequest.parse({
    ...details,
    formatVersion: 1,
    model: record.model,
    environment: record.environment,
    status: 'waiting',
    release: record.release,
    requestedAt: record.at,
    requestHash: hash,
    isNoticed: false,
    ending: null,
  });
}

/** What a target's record ends: which promotion, how, and why; undefined when the record ends none. */
export function endingOf(
  record: AuditRecord,
): { readonly promotion: string; readonly status: ApprovalRequest['status']; readonly ending: string } | undefined {
  switch (record.code) {
    case 'RELEASE_PROMOTED': {
      const { promotion, approvedBy } = detailsOf(record, record.code);
      return {
        promotion,
        status: 'promoted',
        ending: `approved by ${approvedBy.join(', ') || 'nobody: none was required'}`,
      };
    }
    case 'PROMOTION_REFUSED': {
      const { promotion, rule, reasons } = detailsOf(record, record.code);
      return { promotion, status: 'refused', ending: `${rule}: ${reasons.join('; ')}` };
    }
    case 'PROMOTION_FAILED': {
      const { promotion, state, error } = detailsOf(record, record.code);
      return { promotion, status: 'failed', ending: `${state}: ${error}` };
    }
    case 'PROMOTION_OPENED': {
      const { promotion, supersedes } = detailsOf(record, record.code);
      return supersedes === null
        ? undefined
        : { promotion: supersedes, status: 'superseded', ending: `superseded by ${promotion}` };
    }
    default:
      return undefined;
  }
}

/** The write that replaces a request, provided that it is still the one that was read. */
export function requestWrite(previous: ApprovalRequest | undefined, next: ApprovalRequest): Write {
  return {
    kind: 'put',
    item: { ...keys.request(next.model, next.promotion), ...next },
    condition:
      previous === undefined
        ? { kind: 'absent' }
        : equals({ status: previous.status, requestHash: previous.requestHash, isNoticed: previous.isNoticed }),
  };
}
