import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { ABSENT, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { activationWrite, type ActivePolicy, stillInForce } from '#domain/policy/activation.ts';
import { hasCanary, whyNotSo } from '#domain/promotion/canary.ts';
import { closedUntil } from '#domain/prediction/request-log.ts';
import { whyNotPropagated } from '#domain/promotion/pending-propagation.ts';
import { PATIENCE_HOURS, WORK_HOURS } from '#domain/promotion/durations.ts';
import { upstreamsOf, upstreamVerdict } from '#domain/promotion/grounds.ts';
import { pointerCheck } from '#domain/promotion/pointer.ts';
import {
  ageOf,
  isOpen,
  openPromotion as opened,
  type Promotion,
  type PromotionRequest,
  promotionWrite,
  takeLock,
  transitionOf,
} from '#domain/promotion/promotion.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readQuarantined } from '#read-model/quarantines.ts';
import { activeOrDeployed, readActivePolicy } from '#read-model/policy.ts';
import { findPromotion, findPromotionRequest, readLock } from '#read-model/promotions.ts';
import { readPropagation, readUpstream } from '#read-model/upstream.ts';
import { findOperation } from '#read-model/chain.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';
import { endOperation } from './end-promotion.ts';
import { refusedBy, returnApprovalToken } from './approval-token.ts';

export interface Opening extends Recording {
  readonly deployed: DeployedModels;
  readonly machines: StateMachines;
}

/** `startedAt` is when the execution began to wait for its turn. */
const Parameters = PromotionParameters.extend({
  execution: z.string().min(1),
  startedAt: z.iso.datetime({ offset: true }),
});

export const OpenPromotion = contract({
  input: Parameters,
  output: z.discriminatedUnion('status', [
    z.object({
      status: z.literal('opened'),
      promotion: z.string(),
      model: z.string(),
      release: Digest,
      source: z.string(),
      asOf: z.string(),
      /** What is promoted must be none of these under another digest. */
      quarantined: z.array(Digest),
      approvals: z.enum(['none', 'needed']),
      /** Whether gates are evaluated after the approval, and how long that may take. */
      canary: z.enum(['none', 'needed']),
      canarySeconds: z.int().positive(),
      /** From when on requests say what traffic there is: as long as the canary is to be. */
      trafficFrom: z.iso.datetime(),
      closeMinutes: z.int().nonnegative(),
      /** For how long people may decide. */
      approvalSeconds: z.int().positive(),
    }),
    z.object({
      status: z.literal('waiting'),
      promotion: z.string(),
      reason: z.string(),
      /** When it is asked again: seldom, once it has waited for long. */
      seconds: z.int().positive(),
    }),
    Refused.extend({ promotion: z.string() }),
  ]),
});
type Opened = z.output<typeof OpenPromotion.output>;

/**
 * Takes the model's lock and pins policy, gates, approvals and champion; or says that it must wait, or why it never may.
 * What is requested is read from the item that `intake` wrote of a verified record: whoever starts the machine by hand
 * can name a request, and decide nothing about it.
 */
export function openPromotion(deps: Opening): Task {
  const run = async ({ execution, startedAt, ...named }: z.output<typeof Parameters>): Promise<Opened> => {
    const request = await findPromotionRequest(deps.ledger, named);
    if (request === undefined)
      return refused(
        named.promotion,
        'request-verified',
        `no verified request of ${named.model} is called ${named.promotion}`,
        'request the promotion through control, or let the environment before offer the release',
      );
    const result = await open(deps, request, named.promotion, execution);
    const waited = deps.clock.now().getTime() - Date.parse(startedAt);
    if (result.status !== 'waiting') return result;
    if (waited < PATIENCE_HOURS * 3_600_000)
      return { ...result, seconds: waited < SOON_HOURS * 3_600_000 ? SOON_SECONDS : LATER_SECONDS };
    return refused(
      result.promotion,
      'promotion-turn',
      `its turn did not come within ${PATIENCE_HOURS} hours: ${result.reason}`,
    );
  };
  return OpenPromotion.task(run);
}

/** What waits for its turn asks often at first; an execution has room for 25,000 events, and each time takes eight. */
const SOON_SECONDS = 120;
const SOON_HOURS = 12;
const LATER_SECONDS = 900;

async function open(deps: Opening, request: PromotionRequest, name: string, execution: string): Promise<Opened> {
  const { ledger } = deps;
  const { model } = request;
  const ending = keys.operation(model, endOperation(name));
  const [existing, pointer, lock, active, quarantined, ended] = await Promise.all([
    findPromotion(ledger, model, name),
    readPointer(ledger, model),
    readLock(ledger, model),
    readActivePolicy(ledger, model),
    readQuarantined(ledger, model),
    findOperation(ledger, model, endOperation(name)),
  ]);
  if (existing !== undefined) {
    return isOpen(existing.status) && existing.execution === execution
      ? answer(existing, quarantined)
      : refused(name, 'promotion-open', `it is ${existing.status}`);
  }
  if (ended !== undefined) return refused(name, 'promotion-open', 'it has ended before it was opened');
  if (request.transition === 'initial' && pointer !== undefined) {
    return refused(name, 'initial-only-once', `the pointer names ${pointer.version}`);
  }
  if (request.transition !== 'initial' && pointer === undefined) return waiting(name, 'the baseline is not here yet');
  if (pointer?.current === request.release)
    return refused(name, 'release-new', 'the pointer names this release already');
  if (quarantined.includes(request.release)) return refused(name, 'release-quarantined', request.version);
  const today = deps.clock.now().toISOString().slice(0, 10);
  if (request.asOf > today) return refused(name, 'as-of-past', `it is as of ${request.asOf}, which is after ${today}`);

  const transition = transitionOf(deps.environment, request);
  if (request.transition !== transition)
    return refused(name, 'request-verified', `it requests ${request.transition}, and goes by ${transition}`);

  const inForce = activeOrDeployed(active, deps.deployed, model);
  const { rules: policy } = inForce;
  const rule = policy.transitions[request.transition];
  if (rule === undefined || (request.transition === 'hotfix' && deps.environment !== 'prod')) {
    const found = `a hotfix into ${deps.environment}; the policy knows ${Object.keys(policy.transitions).join(', ')}`;
    return refused(name, 'hotfix-allowed', found, 'promote it through staging');
  }
  const notSo = whyNotSo(rule, request.canaryRequest);
  if (notSo !== undefined) return refused(name, notSo.rule, notSo.found, notSo.remedy);
  const notPropagated = whyNotPropagated(pointer, request.transition, await readPropagation(ledger, pointer));
  if (notPropagated !== undefined) return refused(name, notPropagated.rule, notPropagated.found, notPropagated.remedy);

  const held = lock?.promotion ?? null;
  const holder = held === null ? undefined : await findPromotion(ledger, model, held);
  const age = holder === undefined ? 'newer' : ageOf(request, holder);
  if (age === 'older') return refused(name, 'promotion-newest', `${holder?.promotion} is newer and open`);
  if (age === 'unrelated') return waiting(name, `${holder?.promotion} is open`);
  if (active === undefined) await activateFirst(deps, model, inForce);
  const taken = takeLock(model, lock, name);
  const promotion = opened(request, {
    environment: deps.environment,
    rule,
    policyDigest: inForce.policy,
    fencingToken: taken.lock.fencingToken,
    execution,
    champion: pointer,
    now: deps.clock.now(),
  });
  const said = await readUpstream(ledger, model, promotion.release, upstreamsOf(promotion));
  const known = new Map(said.flatMap((each) => (each === undefined ? [] : [[each.environment, each] as const])));
  const { verdict, reasons } = upstreamVerdict(promotion, known);
  if (verdict !== 'PASS') return refused(name, 'released-upstream', reasons.join('; '));
  const result = await recordChange(deps, {
    model,
    operation: operationName('open', name),
    writes: [
      taken.write,
      promotionWrite(undefined, promotion),
      // What it replaces, and what it owes, is what is served when it opens; and nobody has ended it before.
      pointerCheck(model, pointer),
      stillInForce(model, inForce),
      { kind: 'check', key: ending, condition: ABSENT },
      ...(holder === undefined ? [] : [supersede(holder, name, deps.clock.now())]),
    ],
    event: {
      code: 'PROMOTION_OPENED',
      actor: 'pipeline:release',
      release: promotion.release,
      details: {
        promotion: name,
        transition: promotion.transition,
        policy: promotion.policy,
        fencingToken: promotion.fencingToken,
        requestedBy: promotion.requestedBy,
        ...(promotion.hotfix === undefined ? {} : { hotfix: promotion.hotfix }),
        supersedes: holder?.promotion ?? null,
      },
    },
  });
  if (result.kind === 'refused')
    return waiting(name, 'the lock, the pointer or the policy has moved since it was read');
  if (holder !== undefined)
    await returnApprovalToken(deps, holder, refusedBy('promotion-newest', `superseded by ${name}`));
  return answer(promotion, quarantined);
}

function waiting(promotion: string, reason: string): Opened {
  return { status: 'waiting', promotion, reason, seconds: SOON_SECONDS };
}

function answer(promotion: Promotion, quarantined: readonly Digest[]): Opened {
  return {
    status: 'opened',
    promotion: promotion.promotion,
    model: promotion.model,
    release: promotion.release,
    source: promotion.source,
    asOf: promotion.asOf,
    quarantined: [...quarantined],
    approvals: promotion.approvals.length === 0 ? 'none' : 'needed',
    canary: hasCanary(promotion) ? 'needed' : 'none',
    canarySeconds: Math.round(((promotion.canary?.deadlineHours ?? 0) + WORK_HOURS) * 3600),
    trafficFrom: trafficFrom(promotion).toISOString(),
    closeMinutes: promotion.canary?.closeMinutes ?? 0,
    approvalSeconds: Math.round(promotion.approvalHours * 3600),
  };
}

function trafficFrom({ openedAt, canary }: Promotion): Date {
  const until = closedUntil(new Date(openedAt), canary?.closeMinutes);
  return new Date(until.getTime() - (canary?.hours ?? 0) * 3_600_000);
}

function refused(
  promotion: string,
  rule: Refusal['rule'],
  found: string,
  remedy = 'request a new promotion',
): Opened & { status: 'refused' } {
  return { status: 'refused', promotion, refusal: { rule, found, remedy } };
}

function supersede(holder: Promotion, by: string, now: Date): Write {
  return promotionWrite(holder, {
    ...holder,
    status: 'superseded',
    ending: `superseded by ${by}`,
    endedAt: now.toISOString(),
  });
}

/** The first policy comes into force by being deployed: nothing is served yet. Each other one needs people. */
async function activateFirst(deps: Recording, model: string, { policy, rules }: ActivePolicy): Promise<void> {
  await recordChange(deps, {
    model,
    operation: operationName('policy', policy, 0),
    writes: [activationWrite(undefined, policy, rules)],
    event: {
      code: 'POLICY_ACTIVATED',
      actor: 'pipeline:release',
      release: null,
      details: { policy, replaces: null, approvedBy: [] },
    },
  });
}
