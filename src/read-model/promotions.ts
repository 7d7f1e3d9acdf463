import { GatehouseError } from '#domain/error.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { Lock, Promotion, PromotionRequest } from '#domain/promotion/promotion.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find, newestFirst } from './items.ts';

/** Which promotion. */
export interface NamedPromotion {
  readonly model: string;
  readonly promotion: string;
}

/** Who holds the lock of a model's promotions. */
export async function readLock(ledger: ReadableLedger, model: string): Promise<Lock | undefined> {
  return find(ledger, keys.lock(model), Lock);
}

/** A promotion's request, as `intake` wrote it from a verified record. */
export async function findPromotionRequest(
  ledger: ReadableLedger,
  { model, promotion }: NamedPromotion,
): Promise<PromotionRequest | undefined> {
  return find(ledger, keys.promotionRequest(model, promotion), PromotionRequest);
}

/** A promotion's record, where there is one. */
export async function findPromotion(
  ledger: ReadableLedger,
  model: string,
  promotion: string,
): Promise<Promotion | undefined> {
  return find(ledger, keys.promotion(model, promotion), Promotion);
}

/** A promotion's record. @throws GatehouseError `NO_PROMOTION` */
export async function readPromotion(ledger: ReadableLedger, { model, promotion }: NamedPromotion): Promise<Promotion> {
  const found = await findPromotion(ledger, model, promotion);
  if (found === undefined)
    throw new GatehouseError('NO_PROMOTION', `no promotion ${promotion} of ${model}`, { model, promotion });
  return found;
}

/** The promotions of a model, newest first. */
export async function readPromotions(ledger: ReadableLedger, model: string): Promise<readonly Promotion[]> {
  const all = await listPromotions(ledger, model);
  return newestFirst(
    all.map(({ read }) => read()),
    ({ openedAt }) => openedAt,
  );
}

/** The promotions of a model by name, each parsed by itself: one that cannot be read keeps nobody from the others. */
export async function listPromotions(
  ledger: ReadableLedger,
  model: string,
): Promise<readonly { readonly promotion: string; readonly read: () => Promotion }[]> {
  const items = await ledger.query(keys.promotions(model));
  return items.map((item) => ({ promotion: item.sk, read: () => withoutKey(Promotion, item) }));
}

/** What a release that was promoted here is: a trained one, unless every promotion of it says that it is the baseline. */
export async function servedKind(ledger: ReadableLedger, model: string, release: string): Promise<Promotion['kind']> {
  const of = (await readPromotions(ledger, model)).filter(
    (promotion) => promotion.release === release && promotion.status === 'committed',
  );
  return of.length > 0 && of.every(({ kind }) => kind === 'baseline') ? 'baseline' : 'trained';
}
