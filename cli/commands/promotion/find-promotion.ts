import { isOpen, type Promotion } from '#domain/promotion/promotion.ts';
import { readPromotions } from '#read-model/promotions.ts';
import type { Cloud } from '../../cloud.ts';
import type { Context } from '../../context.ts';
import { findRelease, modelNames, parseReference } from '../../references.ts';
import { refuse } from '../../refusal.ts';

/** The promotion that a name, the beginning of one, or a release means: of several of one release the open or newest one. */
export async function findPromotionNamed(context: Context, cloud: Cloud, name: string): Promise<Promotion> {
  const models = await modelNames(context);
  if (name.includes('@') || name.startsWith('sha256:')) {
    const { model, release } = await findRelease(context.cloud('dev').ledger, parseReference(name), models);
    const [newest] = (await readPromotions(cloud.ledger, model)).filter((each) => each.release === release);
    return newest ?? noneOf(name, cloud, `see: gatehouse why ${name} --to ${cloud.environment}`);
  }
  const possible = models.filter((model) => name.startsWith(model) || model.startsWith(name));
  const all = (await Promise.all(possible.map((model) => readPromotions(cloud.ledger, model)))).flat();
  const exact = all.find(({ promotion }) => promotion === name);
  if (exact !== undefined) return exact;
  const matching = all.filter(({ promotion }) => promotion.startsWith(name));
  const open = matching.filter(({ status }) => isOpen(status));
  const [first, ...others] = open.length > 0 ? open : matching;
  if (first === undefined)
    return noneOf(name, cloud, `the newest: ${newestOf(all) || 'none'}; see: gatehouse history MODEL`);
  // One release may have been requested again: the newest is what people mean.
  if (others.every(({ model, release }) => model === first.model && release === first.release)) return first;
  const names = [first, ...others].map(({ promotion }) => promotion);
  return refuse('promotion-unique', `${name} begins ${names.length} promotions`, `name one: ${names.join(', ')}`);
}

function noneOf(name: string, { environment }: Cloud, remedy: string): never {
  return refuse('promotion-known', `${environment} has no promotion ${name}`, remedy);
}

const MOST_NAMED = 3;
function newestOf(all: readonly Promotion[]): string {
  return all
    .slice(0, MOST_NAMED)
    .map(({ promotion }) => promotion)
    .join(', ');
}
