import { Approval } from '#domain/approval/approval.ts';
import { type Evidence, StoredEvidence } from '#domain/gates/evidence.ts';
import type { GateId } from '#domain/gates/gate.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { GroundsState } from '#domain/promotion/grounds.ts';
import { groundKeys, groundsFrom } from '#domain/promotion/grounds-items.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { findEach, list, startingWith } from './items.ts';
import type { NamedPromotion } from './promotions.ts';

/** Everything in a ledger that a promotion's commit rests on, as it stands now. */
export async function readGrounds(ledger: ReadableLedger, promotion: Promotion): Promise<GroundsState> {
  const [items, approvals] = await Promise.all([
    ledger.getMany(groundKeys(promotion)),
    ledger.query(keys.approvals(promotion.model), approvalsOf(promotion)),
  ]);
  const found = groundsFrom(promotion, items, approvals);
  const more = groundKeys(promotion, found).slice(items.length);
  if (more.length === 0) return found;
  // What is read twice would be of two moments: all of it is read anew.
  return groundsFrom(promotion, await ledger.getMany(groundKeys(promotion, found)), approvals);
}

/** The recorded decisions on a promotion. */
export async function readApprovals(
  ledger: ReadableLedger,
  { model, promotion }: NamedPromotion,
): Promise<readonly Approval[]> {
  return list(ledger, keys.approvals(model), Approval, approvalsOf({ promotion }));
}

/** The newest evidence that a promotion's gates gave about its release, with the digest under which it was written. */
export async function readStoredEvidence(
  ledger: ReadableLedger,
  { gates, model, release, environment, policy }: Promotion,
): Promise<readonly StoredEvidence[]> {
  const found = await findEach(
    ledger,
    gates.map((gate) => keys.evidence(gate, model, release, environment, policy)),
    StoredEvidence,
  );
  return found.filter((each) => each !== undefined);
}

/** The evidence of each of a promotion's pinned gates, as far as there is any. */
export async function readEvidence(
  ledger: ReadableLedger,
  promotion: Promotion,
): Promise<ReadonlyMap<GateId, Evidence>> {
  const found = await readStoredEvidence(ledger, promotion);
  return new Map(found.map(({ evidence }) => [evidence.gate, evidence]));
}

const approvalsOf = ({ promotion }: Pick<NamedPromotion, 'promotion'>) => startingWith(`${promotion}#`);
