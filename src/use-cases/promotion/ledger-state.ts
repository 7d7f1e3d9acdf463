import { z } from 'zod';
import { Approval } from '#domain/approval/approval.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Evidence } from '#domain/gates/evidence.ts';
import type { GateId } from '#domain/gates/gate.ts';
import { Upstream } from '#domain/gates/gates/released-upstream.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { ActivePolicy } from '#domain/policy/activation.ts';
import { type Propagation, NO_PROPAGATION } from '#domain/promotion/pending-propagation.ts';
import type { GroundsState } from '#domain/promotion/grounds.ts';
import { evidenceIn, groundKeys, groundsFrom } from '#domain/promotion/grounds-items.ts';
import { Pointer } from '#domain/promotion/pointer.ts';
import { Lock, Promotion, PromotionRequest } from '#domain/promotion/promotion.ts';
import type { Ledger } from '#ports/ledger.ts';

/** The parameters of most states of a promotion: which one. */
export const PromotionParameters = z.object({ model: z.string(), promotion: z.string() });
export type PromotionParameters = z.infer<typeof PromotionParameters>;

/** The environment's pointer of a model. */
export async function readPointer(ledger: Ledger, model: string): Promise<Pointer | undefined> {
  const item = await ledger.get(keys.pointer(model));
  return item === undefined ? undefined : withoutKey(Pointer, item);
}

/** Who holds the lock of a model's promotions. */
export async function readLock(ledger: Ledger, model: string): Promise<Lock | undefined> {
  const item = await ledger.get(keys.lock(model));
  return item === undefined ? undefined : withoutKey(Lock, item);
}

/** A promotion's record, where there is one. */
export async function findPromotion(ledger: Ledger, model: string, promotion: string): Promise<Promotion | undefined> {
  const item = await ledger.get(keys.promotion(model, promotion));
  return item === undefined ? undefined : withoutKey(Promotion, item);
}

/** A promotion's request, as `intake` wrote it from a verified record. */
export async function findRequest(
  ledger: Ledger,
  { model, promotion }: PromotionParameters,
): Promise<PromotionRequest | undefined> {
  const item = await ledger.get(keys.promotionRequest(model, promotion));
  return item === undefined ? undefined : withoutKey(PromotionRequest, item);
}

/** A promotion's record. @throws GatehouseError `NO_PROMOTION` */
export async function readPromotion(ledger: Ledger, { model, promotion }: PromotionParameters): Promise<Promotion> {
  const found = await findPromotion(ledger, model, promotion);
  if (found === undefined)
    throw new GatehouseError('NO_PROMOTION', `no promotion ${promotion} of ${model}`, { model, promotion });
  return found;
}

/** The evidence of each of a promotion's pinned gates, as far as there is any. */
export async function readEvidence(ledger: Ledger, promotion: Promotion): Promise<ReadonlyMap<GateId, Evidence>> {
  const { gates, model, release, environment, policy } = promotion;
  const items = await ledger.getMany(gates.map((gate) => keys.evidence(gate, model, release, environment, policy)));
  return new Map(
    gates.flatMap((gate, index) => {
      const item = items[index];
      return item === undefined ? [] : [[gate, evidenceIn(item)] as const];
    }),
  );
}

/** Everything in the ledger that a promotion's commit rests on, as it stands now. */
export async function readGrounds(ledger: Ledger, promotion: Promotion): Promise<GroundsState> {
  const [items, approvals] = await Promise.all([
    ledger.getMany(groundKeys(promotion)),
    ledger.query(keys.approvals(promotion.model), approvalRange(promotion)),
  ]);
  const found = groundsFrom(promotion, items, approvals);
  const { pointer } = found;
  if (pointer === undefined || pointer.pendingPropagation === null) return found;
  return groundsFrom(promotion, await ledger.getMany(groundKeys(promotion, pointer)), approvals);
}

/** The policy that is in force for a model, where there ever was one. */
export async function readActivePolicy(ledger: Ledger, model: string): Promise<ActivePolicy | undefined> {
  const item = await ledger.get(keys.policy(model));
  return item === undefined ? undefined : withoutKey(ActivePolicy, item);
}

/** The recorded decisions on a promotion. */
export async function readApprovals(
  ledger: Ledger,
  { model, promotion }: PromotionParameters,
): Promise<readonly Approval[]> {
  const items = await ledger.query(keys.approvals(model), approvalRange({ promotion }));
  return items.map((item) => withoutKey(Approval, item));
}

const approvalRange = ({ promotion }: { readonly promotion: string }) => ({
  from: `${promotion}#`,
  to: `${promotion}#\uFFFF`,
});

/** What the signed chains of some environments said of a release, in their order. */
export async function readUpstream(
  ledger: Ledger,
  model: string,
  release: string,
  environments: readonly string[],
): Promise<readonly (Upstream | undefined)[]> {
  const items = await ledger.getMany(environments.map((environment) => keys.upstream(model, release, environment)));
  return items.map((item) => (item === undefined ? undefined : withoutKey(Upstream, item)));
}

/** What dev and staging say of the digest that a pointer's pending propagation is about. */
export async function readPropagation(ledger: Ledger, pointer: Pointer | undefined): Promise<Propagation> {
  if (pointer === undefined || pointer.pendingPropagation === null) return NO_PROPAGATION;
  const [dev, staging] = await readUpstream(ledger, pointer.model, pointer.pendingPropagation.release, [
    'dev',
    'staging',
  ]);
  return { dev, staging };
}

/** The releases that were rolled back here. */
export async function readQuarantined(ledger: Ledger, model: string): Promise<readonly Digest[]> {
  return (await ledger.query(keys.quarantined(model))).map((item) => Digest.parse(item['release']));
}

/** Whether a release was rolled back here once. */
export async function isQuarantined(ledger: Ledger, model: string, release: Digest): Promise<boolean> {
  return (await ledger.get(keys.quarantine(model, release))) !== undefined;
}
