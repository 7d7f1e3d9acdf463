import { ORIGIN } from '../environment/environment.ts';
import { Approval } from '../approval/approval.ts';
import { NewestAttestations } from '../attestation/newest.ts';
import { StoredEvidence } from '../gates/evidence.ts';
import { Upstream } from '../gates/gates/released-upstream.ts';
import { type Item, type Key, keyText, withoutKey } from '../ledger/item.ts';
import { authorityOf, keys } from '../ledger/keys.ts';
import { ActivePolicy } from '../policy/activation.ts';
import { attestationKeys } from './attested-grounds.ts';
import type { GroundsState } from './grounds.ts';
import { Pointer } from './pointer.ts';
import { isActive } from './quarantine.ts';
import { type Promotion, PromotionRequest } from './promotion.ts';

/** The environments whose chains can say something of a release that is promoted here. */
const UPSTREAMS = [ORIGIN, 'staging'] as const;

/**
 * The items, besides approvals, from which a promotion's grounds are read. What was found under them names others: what the
 * pointer's pending propagation is about, and the commit that attestations are about.
 */
export function groundKeys(promotion: Promotion, found?: GroundsState): readonly Key[] {
  const pointer = found?.pointer;
  const { model, release, environment, policy, gates } = promotion;
  const of = (digest: string): readonly Key[] => UPSTREAMS.map((each) => keys.upstream(model, digest, each));
  return [
    keys.pointer(model),
    keys.policy(model),
    keys.quarantine(model, release),
    keys.promotionRequest(model, promotion.promotion),
    ...of(release),
    ...gates.map((gate) => keys.evidence(gate, model, release, environment, policy)),
    ...(pointer === undefined || pointer.pendingPropagation === null || pointer.pendingPropagation.release === release
      ? []
      : of(pointer.pendingPropagation.release)),
    ...(found === undefined ? [] : attestationKeys(found)),
  ];
}

/** A promotion's grounds, from what finds its items, and its approvals. @throws GatehouseError where one cannot be read */
export function groundsBy(
  promotion: Promotion,
  find: (key: Key) => Item | undefined,
  approvals: readonly Item[],
): GroundsState {
  const first = groundsFrom(promotion, groundKeys(promotion).map(find), approvals);
  return groundsFrom(promotion, groundKeys(promotion, first).map(find), approvals);
}

/** A promotion's grounds, from the items under `groundKeys` and its approvals. @throws GatehouseError where one cannot be read */
export function groundsFrom(
  promotion: Promotion,
  items: readonly (Item | undefined)[],
  approvals: readonly Item[],
): GroundsState {
  const { model, release, environment, policy, gates } = promotion;
  const byKey = new Map(items.flatMap((item) => (item === undefined ? [] : [[keyText(item), item] as const])));
  const find = (key: Key): Item | undefined => byKey.get(keyText(key));
  const read = <T>(schema: Parameters<typeof withoutKey<T>>[0], key: Key): T | undefined => {
    const item = find(key);
    return item === undefined ? undefined : withoutKey(schema, item);
  };
  const pointer = read(Pointer, keys.pointer(model));
  const said = (digest: string, by: string): Upstream | undefined => read(Upstream, keys.upstream(model, digest, by));
  const pendingPropagation = pointer?.pendingPropagation ?? null;
  return {
    promotion,
    request: read(PromotionRequest, keys.promotionRequest(model, promotion.promotion)),
    pointer,
    active: read(ActivePolicy, keys.policy(model)),
    evidence: new Map(
      gates.flatMap((gate) => {
        const stored = read(StoredEvidence, keys.evidence(gate, model, release, environment, policy));
        return stored === undefined ? [] : [[gate, stored.evidence] as const];
      }),
    ),
    approvals: approvals.map((item) => withoutKey(Approval, item)),
    isQuarantined: isActive(find(keys.quarantine(model, release))),
    upstream: new Map(
      UPSTREAMS.flatMap((environment) => {
        const upstream = said(release, environment);
        return upstream === undefined ? [] : [[environment, upstream] as const];
      }),
    ),
    attestations: new Map(
      items.flatMap((item) =>
        item === undefined || authorityOf(item.pk) !== 'ATTESTATION'
          ? []
          : [[keyText(item), withoutKey(NewestAttestations, item)] as const],
      ),
    ),
    propagation: {
      dev: pendingPropagation === null ? undefined : said(pendingPropagation.release, 'dev'),
      staging: pendingPropagation === null ? undefined : said(pendingPropagation.release, 'staging'),
    },
  };
}
