import { type Digest, digestOfJson } from '#domain/canonical/digest.ts';
import { aggregateBasis, type DailyPlan, servedAggregates } from '#domain/data/feature-plan.ts';
import type { AdmittedPartition } from '#domain/data/partition.ts';
import { AggregatesList } from '#domain/prediction/aggregates.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { GatehouseError } from '#domain/error.ts';
import type { FaultCode } from '#domain/faults.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import { findAggregates } from '#read-model/aggregates.ts';
import { definitionOf, type StoredDefinition } from '#read-model/definitions.ts';
import type { ReadingPredictions } from './prediction-state.ts';

/** The daily aggregates that endpoints should load for a basis, and what builds them. */
export interface PlannedAggregates {
  readonly source: StoredDefinition;
  readonly daily: readonly DailyPlan[];
  readonly basis: Digest;
  readonly historyFrom: string;
  readonly days: AggregatesList['days'];
  /** The published list of the basis: it alone may be replaced by this one. */
  readonly replaces: Digest | null;
  /** Whether this list is the published one. */
  readonly isCurrent: boolean;
}

/**
 * The aggregates of the served release and of the one that a rollback would serve, where their models have an endpoint: so that
 * a rollback finds its aggregates there. Releases of one basis share a list.
 */
export async function planAggregates(
  { ledger, releases, engine }: Pick<ReadingPredictions, 'ledger' | 'releases' | 'engine'>,
  { model, lastConfirmed }: Pick<Pointer, 'model' | 'lastConfirmed'>,
  { source, catalogue }: { readonly source: StoredDefinition; readonly catalogue: readonly AdmittedPartition[] },
): Promise<readonly PlannedAggregates[]> {
  // A release that is damaged is no target of a rollback either.
  const target = lastConfirmed === null ? undefined : await readableDefinition(releases, lastConfirmed.release);
  const sources = target === undefined ? [source] : [source, target];
  const online = sources.filter(({ definition }) => definition.online !== undefined);
  const byBasis = new Map(online.toReversed().map((each) => [aggregateBasis(each.definition), each]));
  const planned = [...byBasis].map(async ([basis, each]): Promise<readonly PlannedAggregates[]> => {
    const served = servedAggregates(each.definition, engine, catalogue);
    // Without any day there is nothing that could be published.
    if (served === undefined) return [];
    const { daily, historyFrom } = served;
    const days = daily.map(({ day, digest }) => ({ day, digest }));
    const replaces = (await findAggregates(ledger, model, basis))?.list ?? null;
    const isCurrent = replaces === listDigest({ model, basis, historyFrom, days });
    return [{ source: each, daily, basis, historyFrom, days, replaces, isCurrent }];
  });
  return (await Promise.all(planned)).flat();
}

/** What says of a release that it is damaged. */
const DAMAGE = new Set<FaultCode>(['ARTIFACT_MISSING', 'ARTIFACT_TAMPERED', 'BAD_DOCUMENT', 'NOT_CANONICAL']);

/** A release's definition, or undefined where the release is damaged: what concerns others goes on without it. */
export async function readableDefinition(
  releases: ReadableStore,
  release: Digest,
): Promise<StoredDefinition | undefined> {
  try {
    return await definitionOf(releases, release);
  } catch (error) {
    const isDamaged = error instanceof GatehouseError && DAMAGE.has(error.code);
    if (isDamaged) return undefined;
    throw error;
  }
}

function listDigest(list: Omit<AggregatesList, 'formatVersion'>): Digest {
  return digestOfJson({ formatVersion: 1, ...list } satisfies AggregatesList);
}
