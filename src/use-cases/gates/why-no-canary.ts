import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import { whyNoCanary } from '#domain/promotion/canary.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { servedKind } from '#read-model/promotions.ts';

/** Why no canary applies to a promotion, as this account knows it now, or undefined where one does. */
export async function whyNoCanaryOf(
  deps: { readonly ledger: ReadableLedger; readonly deployed: DeployedModels },
  promotion: Promotion,
): Promise<string | undefined> {
  const { online } = deployedModel(deps.deployed, promotion.model).definition;
  const champion =
    promotion.replaces === null ? undefined : await servedKind(deps.ledger, promotion.model, promotion.replaces);
  return whyNoCanary({ promotion, isOnline: online !== undefined, champion });
}
