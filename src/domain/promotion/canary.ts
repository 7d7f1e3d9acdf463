import type { AuditEvent } from '../audit/events.ts';
import type { Digest } from '../canonical/digest.ts';
import type { Evidence } from '../gates/evidence.ts';
import { phaseOf } from '../gates/gate.ts';
import type { Write } from '../ledger/item.ts';
import { type CanaryRequest, type CanaryRule, MOST_HOURS } from '../policy/canary.ts';
import type { TransitionRule } from '../policy/policy.ts';
import { type Refusal, refusal } from '../refusal/refusal.ts';
import { PATIENCE_HOURS, WORK_HOURS } from './durations.ts';
import {
  divideTraffic,
  type Pointer,
  pointerCheck,
  pointerWrite,
  type TrafficArm,
  type TrafficPlan,
  undivided,
} from './pointer.ts';
import { hoursOf, holdsLock, type Promotion } from './promotion.ts';
import { notQuarantined, quarantineWrite } from './quarantine.ts';

/** What a canary is about: who is served, and whether the model answers requests at all. */
export interface CanaryCase {
  readonly promotion: Pick<Promotion, 'transition' | 'canary' | 'canaryRequest'>;
  readonly isOnline: boolean;
  /** What the champion is; undefined where there is none. */
  readonly champion: 'trained' | 'baseline' | undefined;
}

/** Why no canary applies to a promotion, or undefined where one does. */
export function whyNoCanary({ promotion, isOnline, champion }: CanaryCase): string | undefined {
  if (!isOnline) return 'the model answers no requests';
  if (promotion.transition === 'initial' || champion === undefined) return 'it is the first release here';
  // A baseline has no consumers yet: nobody waits for what a constant answers, and a canary would wait for ever.
  return champion === 'baseline' ? 'the champion is the baseline, which nothing is compared with' : undefined;
}

/** Whether a promotion waits for gates that are evaluated after its approval. */
export function hasCanary({ gates }: Pick<Promotion, 'gates'>): boolean {
  return gates.some((gate) => phaseOf(gate) === 'after-approval');
}

/** Why what a request asks of its canary is refused, or undefined: it may be longer and not shorter, and left out only where people approve that. */
export function whyNotSo(rule: TransitionRule, request: CanaryRequest | undefined): Refusal | undefined {
  if (request === undefined) return undefined;
  const { canary } = rule;
  if (canary === undefined)
    return refusal(
      'canary-allowed',
      'the policy has no canary for this transition',
      'request it without --canary-hours, --shadow-only and --ab',
    );
  if (request.kind === 'shadow-only')
    return canary.shadowOnly === undefined
      ? refusal(
          'canary-allowed',
          'the policy names nobody who approves a promotion on its shadow alone',
          'request it without --shadow-only',
        )
      : undefined;
  if (request.kind === 'ab')
    return canary.ab === undefined
      ? refusal('canary-allowed', 'the policy has no A/B test', 'request it without --ab')
      : undefined;
  if (request.hours < canary.hours)
    return refusal(
      'canary-allowed',
      `${request.hours} hours are fewer than the policy's ${canary.hours}`,
      `ask for ${canary.hours} hours or more: --canary-hours`,
    );
  const needed = hoursOf(rule, { canaryRequest: request });
  const most = Math.min(rule.evidenceValidHours, PATIENCE_HOURS, rule.approvalHours + MOST_HOURS + WORK_HOURS);
  return needed <= most
    ? undefined
    : refusal(
        'canary-allowed',
        `with ${request.hours} hours of canary it may take ${needed} hours, and may take ${most}: its evidence expires then, or what waits behind it is refused`,
        `ask for ${request.hours - (needed - most)} hours or fewer: --canary-hours`,
      );
}

/** The arms by which a rule divides the traffic: the control arm runs the champion in a function like the candidate's. */
export function armsOf(share: number, champion: Digest, candidate: Digest): TrafficArm[] {
  const arms: TrafficArm[] = [
    { arm: 'candidate', release: candidate, share },
    { arm: 'control', release: champion, share },
  ];
  const rest = 1 - 2 * share;
  return rest > 0 ? [{ arm: 'champion', release: champion, share: rest }, ...arms] : arms;
}

/** What is done with the traffic of a promotion. */
export function planKind({ canary, canaryRequest }: Pick<Promotion, 'canary' | 'canaryRequest'>): TrafficPlan['kind'] {
  return canaryRequest?.kind === 'ab' ? 'ab' : (canary?.plan ?? 'canary');
}

/** The transaction by which a canary begins: the promotion holds the lock, and its candidate is not quarantined. */
export function startCanary(
  pointer: Pointer,
  promotion: Promotion & { readonly canary: CanaryRule },
  { salt, now }: { readonly salt: string; readonly now: Date },
): { readonly pointer: Pointer; readonly writes: readonly Write[]; readonly event: AuditEvent } {
  const { canary, model, release, version } = promotion;
  const { share, hours, deadlineHours, assignment, armMs } = canary;
  const until = new Date(now.getTime() + deadlineHours * 3_600_000).toISOString();
  const kind = planKind(promotion);
  const arms = kind === 'blue-green' ? undivided(pointer.current) : armsOf(share, pointer.current, release);
  const next = divideTraffic(
    pointer,
    {
      arms,
      plan: {
        kind,
        promotion: promotion.promotion,
        candidate: release,
        version,
        assignment,
        salt,
        armMs,
        startedAt: now.toISOString(),
        until,
      },
    },
    { fencingToken: promotion.fencingToken, writtenBy: promotion.promotion },
  );
  return {
    pointer: next,
    writes: [pointerWrite(pointer, next), holdsLock(promotion), notQuarantined(model, release)],
    event: {
      code: 'CANARY_STARTED',
      actor: 'pipeline:pointer',
      release: pointer.current,
      details: {
        promotion: promotion.promotion,
        version: pointer.version,
        candidate: release,
        candidateVersion: version,
        kind,
        share: kind === 'blue-green' ? 0 : share,
        hours,
        assignment,
        salt,
        until,
        planSeq: next.traffic.planSeq,
        pointerSeq: next.seq,
        epoch: next.epoch,
      },
    },
  };
}

/** How a canary ended, by the evidence that its gates gave: a FAIL of one is the candidate's, and quarantines it. */
export function endingOf(evidence: readonly Evidence[]): {
  readonly verdict: 'finished' | 'aborted' | 'stopped';
  readonly found: string;
} {
  const own = evidence.filter(({ gate }) => phaseOf(gate) === 'after-approval');
  const failed = own.find(({ verdict }) => verdict === 'FAIL');
  if (failed !== undefined) return { verdict: 'aborted', found: `${failed.gate}: ${failed.reasons.join('; ')}` };
  const canary = own.find(({ gate }) => gate === 'canary');
  return canary?.verdict === 'PASS' || canary?.verdict === 'NOT_APPLICABLE'
    ? { verdict: 'finished', found: canary.reasons.join('; ') }
    : { verdict: 'stopped', found: canary?.reasons.join('; ') ?? 'it has no verdict' };
}

/**
 * The transaction by which a canary ends: the champion answers everything again, by one write and without any load, and a candidate whose gate
 * failed is quarantined; undefined where neither the traffic is divided nor a gate failed.
 * @param reason why it ends, where no gate says so
 */
export function endCanary(
  pointer: Pointer,
  promotion: Promotion,
  evidence: readonly Evidence[],
  { reason, isQuarantined, now }: { readonly reason: string; readonly isQuarantined: boolean; readonly now: Date },
): { readonly pointer: Pointer; readonly writes: readonly Write[]; readonly event: AuditEvent } | undefined {
  const { verdict, found } = endingOf(evidence);
  const isDivided = pointer.traffic.plan?.promotion === promotion.promotion;
  // What a rollback has gone to meanwhile is served: that is the rollback's to answer for.
  const quarantines = verdict === 'aborted' && !isQuarantined && pointer.current !== promotion.release;
  if (!isDivided && verdict !== 'aborted') return undefined;
  const by = { fencingToken: pointer.fencingToken, writtenBy: promotion.promotion };
  const next = isDivided ? divideTraffic(pointer, { arms: undivided(pointer.current) }, by) : pointer;
  const { model, release, version } = promotion;
  const said = verdict === 'stopped' ? reason : found;
  return {
    pointer: next,
    writes: [
      isDivided ? pointerWrite(pointer, next) : pointerCheck(pointer.model, pointer),
      ...(quarantines
        ? [
            quarantineWrite(model, {
              release,
              version,
              reason: said.slice(0, 500),
              // What votes to lift it are bound to.
              rollback: promotion.promotion,
              actor: 'pipeline:canary',
              at: now.toISOString(),
            }),
          ]
        : []),
    ],
    event: {
      code: 'CANARY_ENDED',
      actor: 'pipeline:pointer',
      release: pointer.current,
      details: {
        promotion: promotion.promotion,
        version: pointer.version,
        candidate: release,
        candidateVersion: version,
        verdict,
        found: said.slice(0, 1200),
        quarantined: quarantines,
        pointerSeq: isDivided ? next.seq : null,
        epoch: next.epoch,
      },
    },
  };
}
