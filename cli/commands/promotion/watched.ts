import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import { judgeShadow, type ShadowJudgement } from '#domain/canary/shadow.ts';
import { ShadowReplay } from '#domain/canary/shadow-batches.ts';
import type { Evidence } from '#domain/gates/evidence.ts';
import { hasCanary } from '#domain/promotion/canary.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import { percent } from '#domain/text.ts';
import { readDocument } from '#ports/documents.ts';
import { readRecords } from '#read-model/chain.ts';
import { readApprovals, readEvidence } from '#read-model/grounds.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPromotion } from '#read-model/promotions.ts';
import type { Cloud } from '../../cloud.ts';
import { lackingApprovals } from '../../progress/inspect.ts';
import { entityWarning } from '../canary/by-entity.ts';
import { type Phase, phaseOf } from './phase.ts';
import { canaryReader, type CanaryView } from './watched-canary.ts';

/** What a shadow found. */
export interface ShadowView {
  readonly verdict: Evidence['verdict'] | 'NOT JUDGED';
  readonly reasons: readonly string[];
  readonly counts: ShadowJudgement['counts'] | null;
  readonly eValues: ShadowJudgement['eValues'] | null;
}

/** A promotion as it is now: what it waits for, and what its shadow and canary say. */
export interface PromotionView {
  readonly promotion: Promotion;
  readonly phase: Phase;
  readonly approvals: {
    readonly decisions: readonly { readonly subject: string; readonly role: string; readonly decision: string }[];
    readonly missing: readonly string[];
  };
  /** Null where it is not watched. */
  readonly shadow: ShadowView | null;
  readonly canary: CanaryView | null;
  /** Why no canary was begun, where one is pinned and its gate said so. */
  readonly notApplicable: string | null;
  /** The records of its canary, oldest first. */
  readonly records: readonly { readonly at: string; readonly code: string; readonly found: string }[];
  /** What was quarantined by its canary. */
  readonly quarantined: string | null;
  readonly warning: string | null;
}

/** Reads a promotion again and again. */
export function promotionReader(cloud: Cloud, { model, promotion: name }: Promotion) {
  let readCanary: ReturnType<typeof canaryReader> | undefined;
  return async (at: Date): Promise<PromotionView> => {
    const promotion = await readPromotion(cloud.ledger, { model, promotion: name });
    const [evidence, decisions, missing, pointer, chain] = await Promise.all([
      readEvidence(cloud.ledger, promotion),
      readApprovals(cloud.ledger, promotion),
      lackingApprovals(cloud.ledger, promotion, at),
      readPointer(cloud.ledger, model),
      readRecords(cloud.ledger, model),
    ]);
    // The newest evidence of a gate may be another promotion's of the same release.
    const own = (gate: 'shadow' | 'canary'): Evidence | undefined => {
      const found = evidence.get(gate);
      return found?.promotion === name ? found : undefined;
    };
    const records = chain
      .map(({ record }) => record)
      .filter(({ code, details }) => code.startsWith('CANARY_') && details['promotion'] === name);
    readCanary ??= canaryReader(cloud, promotion);
    const canary = await readCanary(promotion, { records, evidence: own('canary'), pointer }, at);
    const ended = records.findLast(({ code }) => code === 'CANARY_ENDED');
    const isByEntity = promotion.canary?.assignment === 'entity' && hasCanary(promotion);
    return {
      promotion,
      phase: phaseOf(promotion, canary !== null),
      approvals: {
        decisions: decisions.map(({ subject, role, decision }) => ({ subject, role, decision })),
        missing,
      },
      shadow: promotion.gates.includes('shadow') ? await shadowOf(cloud, promotion, own('shadow')) : null,
      canary,
      notApplicable: canary === null ? (own('canary')?.reasons.join('; ') ?? null) : null,
      records: records.map(lineOf),
      quarantined: ended?.details['quarantined'] === true ? promotion.release : null,
      warning: isByEntity ? await entityWarning() : null,
    };
  };
}

function lineOf(record: AuditRecord): PromotionView['records'][number] {
  return { at: record.at, code: record.code, found: foundBy(record) };
}

/** What a record of a canary says. */
function foundBy(record: AuditRecord): string {
  switch (record.code) {
    case 'CANARY_OPENED':
      return `approved by ${detailsOf(record, record.code).approvedBy.join(', ') || 'nobody: the policy requires no approval'}`;
    case 'CANARY_STARTED': {
      const { share, assignment, hours } = detailsOf(record, record.code);
      return `${percent(share, 0)} of the requests to the candidate, by ${assignment}, for ${hours} h`;
    }
    case 'CANARY_PAUSED':
      return detailsOf(record, record.code).found;
    case 'CANARY_ENDED': {
      const { verdict, found } = detailsOf(record, record.code);
      return `${verdict}: ${found}`;
    }
    default:
      return '';
  }
}

async function shadowOf(
  { documents }: Cloud,
  { canary }: Promotion,
  evidence: Evidence | undefined,
): Promise<ShadowView> {
  const none = { counts: null, eValues: null };
  if (canary?.shadow === undefined)
    return { verdict: 'NOT JUDGED', reasons: ['the policy has no shadow: the canary begins without'], ...none };
  if (evidence === undefined) return { verdict: 'NOT JUDGED', reasons: [], ...none };
  const { verdict, reasons, measure, numbers } = evidence;
  if (measure === null) return { verdict, reasons, ...none };
  const { batches } = await readDocument(documents, ShadowReplay, measure);
  const state = { isComplete: true, hasLatencyObjective: 'latency' in numbers };
  const { counts, eValues } = judgeShadow({ ...canary, shadow: canary.shadow }, batches, state);
  return { verdict, reasons, counts, eValues };
}
