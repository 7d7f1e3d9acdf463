import type { ShadowAnswer } from '#domain/canary/shadow-batches.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { LoggedRequest } from '#domain/prediction/request-log.ts';
import { refusalText } from '#domain/refusal/refusal.ts';
import type { StoredRequests } from '#ports/request-log.ts';
import { type ListedAggregates, loadRelease } from './release.ts';
import { answerBy, type Replaying, rowsOf } from './replay.ts';

export interface ReplayingPairs extends Replaying {
  /** Milliseconds since any moment. */
  readonly milliseconds: () => number;
}

/** What a release answers the events of a day by. */
export type ReplayedDay =
  | {
      readonly kind: 'open';
      answer(request: LoggedRequest, raw: StoredRequests['raw']): Promise<ShadowAnswer>;
      end(): Promise<void>;
    }
  /** The release's own fault. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** Aggregates that its list names are not there any more. */
  | { readonly kind: 'gone' };

/** A release that answers stored requests again; what is wrong with it is a value, and what is wrong with a store is thrown. */
export interface ReplayedRelease {
  /** Undefined where it does not load. */
  readonly definition: ModelDefinition | undefined;
  /** Why it failed first: that it does not load, or the first request that it does not answer; undefined where it failed nothing. */
  whyFailed(): string | undefined;
  open(day: string, list: ListedAggregates | undefined): Promise<ReplayedDay>;
  close(): Promise<void>;
}

/** Loads a release as endpoints do. @throws what reading from a store throws */
export async function loadReplayed(deps: ReplayingPairs, digest: Digest): Promise<ReplayedRelease> {
  const stores = watched(deps);
  let current: ListedAggregates | undefined;
  const loading = { ...deps, ...stores, aggregates: { read: async () => current } };
  const loaded = await loadRelease(loading, digest).catch((fault: unknown) => {
    if (stores.haveThrown(fault)) throw fault;
    return { kind: 'failed' as const, reason: reasonOf(fault) };
  });
  if (loaded.kind !== 'loaded') {
    const reason = loaded.kind === 'failed' ? loaded.reason : refusalText(loaded.refusal);
    const open = async () => ({ kind: 'failed' as const, reason });
    return { definition: undefined, whyFailed: () => reason, open, close: async () => undefined };
  }
  const { release } = loaded;
  let failure: string | undefined;
  return {
    definition: release.definition,
    whyFailed: () => failure,
    async open(day, list) {
      current = list;
      await release.refresh(day);
      const found = await release.featuresOf(day);
      if (found.kind === 'refused') {
        const { fault, refusal } = found;
        if (!stores.haveThrown(fault)) {
          failure ??= refusalText(refusal);
          return { kind: 'failed', reason: refusalText(refusal) };
        }
        if (fault instanceof GatehouseError && fault.code === 'ARTIFACT_MISSING') return { kind: 'gone' };
        throw fault;
      }
      const { lease } = found;
      return {
        kind: 'open',
        async answer(request, raw) {
          const rows = rowsOf(request, raw, release.definition);
          if (!('events' in rows)) return null;
          const began = deps.milliseconds();
          // A release that throws fails its request, as it does at an endpoint.
          const outcome = await answerBy(release, lease.value, rows).catch((fault: unknown) => ({
            kind: 'impossible' as const,
            reason: reasonOf(fault),
          }));
          const milliseconds = deps.milliseconds() - began;
          if (outcome.kind === 'impossible') failure ??= outcome.reason;
          const probability = outcome.kind === 'computed' ? outcome.probabilities[0] : undefined;
          return probability === undefined ? null : { probability, milliseconds };
        },
        end: () => lease.end(),
      };
    },
    close: () => release.close(),
  };
}

/** The stores of a release, and whether it was they that threw something: that is no fault of the release. */
function watched({ artifacts, lake }: Pick<ReplayingPairs, 'artifacts' | 'lake'>) {
  const thrown = new Set<unknown>();
  const watch = async <T>(read: Promise<T>): Promise<T> => {
    try {
      return await read;
    } catch (fault) {
      thrown.add(fault);
      throw fault;
    }
  };
  return {
    artifacts: { read: (digest: Digest) => watch(artifacts.read(digest)) },
    lake: {
      fetch: (...given: Parameters<typeof lake.fetch>) => watch(lake.fetch(...given)),
    },
    haveThrown: (fault: unknown): boolean => thrown.has(fault),
  };
}

function reasonOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
