import type { Environment } from '#domain/environment/environment.ts';
import { detailsOf } from '#domain/audit/chain.ts';
import type { Registration } from '#domain/release/registration.ts';
import { readRecords } from '#read-model/chain.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPromotions } from '#read-model/promotions.ts';
import { readQuarantined } from '#read-model/quarantines.ts';
import type { Context } from '../../context.ts';
import type { EnvironmentFacts } from '../../stages.ts';

/** What an environment has served of a model, and what it keeps away. */
interface ServingFacts {
  readonly current: string | undefined;
  readonly promoted: ReadonlySet<string>;
  /** Those among them that were not rolled back since, whether their quarantine was lifted or not. */
  readonly carried: ReadonlySet<string>;
  readonly newest: ReadonlyMap<string, string>;
  readonly quarantined: ReadonlySet<string>;
}

/** Reads what an environment serves and has served. */
export async function servingFacts(context: Context, environment: Environment, model: string): Promise<ServingFacts> {
  const { ledger } = context.cloud(environment);
  const [pointer, chain, promotions, quarantined] = await Promise.all([
    readPointer(ledger, model),
    readRecords(ledger, model),
    readPromotions(ledger, model),
    readQuarantined(ledger, model),
  ]);
  const promoted = new Set<string>();
  const carried = new Set<string>();
  for (const { record } of chain) {
    if (record.code === 'RELEASE_PROMOTED' && record.release !== null) {
      promoted.add(record.release);
      carried.add(record.release);
    }
    if (record.code === 'RELEASE_ROLLED_BACK') carried.delete(detailsOf(record, record.code).from);
  }
  for (const release of quarantined) carried.delete(release);
  // Newest first: the first of a release is its newest.
  const newest = new Map(promotions.toReversed().map(({ release, status }) => [release, status]));
  return { current: pointer?.current, promoted, carried, newest, quarantined: new Set(quarantined) };
}

/** What is known of one release in an environment; `promoted` are the releases that count as promoted there. */
export function factsOf(
  facts: ServingFacts | undefined,
  { release }: Registration,
  promoted: ReadonlySet<string> | undefined,
): EnvironmentFacts {
  return {
    isCurrent: facts?.current === release,
    wasPromoted: promoted?.has(release) === true,
    newestPromotion: facts?.newest.get(release),
  };
}
