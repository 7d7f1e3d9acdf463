import type { Digest } from '#domain/canonical/digest.ts';
import { isDependencyFault } from '#domain/alarm/attribution.ts';
import { GatehouseError } from '#domain/error.ts';
import type { ActivePolicy } from '#domain/policy/activation.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { refusal, refusalText } from '#domain/refusal/refusal.ts';
import type { Clock } from '#ports/clock.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import type { Metrics } from '#ports/metrics.ts';
import type { RequestLog } from '#ports/request-log.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { type Lease, loaded, type Loaded } from './leases.ts';
import { statusOf } from './protocol.ts';
import { type LoadedRelease, type Loading, loadRelease, type Refused } from './release.ts';

export interface Serving extends Loading {
  readonly ledger: Pick<ReadableLedger, 'get' | 'getMany' | 'query'>;
  readonly clock: Clock;
  readonly log: RequestLog;
  /** What alarms watch; `arm` and the rest of the dimensions are the core's. */
  readonly metrics: Metrics;
  readonly environment: string;
}

/** The release that a pointer names, in use by one request. */
export interface Champion {
  readonly kind: 'champion';
  readonly pointer: Pointer;
  readonly lease: Lease<LoadedRelease>;
  /** Milliseconds above which an answer is slow, by the policy in force; undefined where it does not say, and for whoever waited for a load. */
  readonly slowAboveMs: number | undefined;
}

/** Knows which release answers. */
export interface Champions {
  /** The release that answers a request which arrives now; whoever gets it ends the lease. */
  take(): Promise<Champion | Refused>;
  /** Lets go of everything. */
  close(): Promise<void>;
}

/** What the last reading of the pointer came to: `readAt` is when it began, in milliseconds. */
type Reading = {
  readonly readAt: number;
  readonly pointer: Pointer;
  readonly slowAboveMs: number | undefined;
} & ({ readonly kind: 'ready'; readonly champion: Loaded<LoadedRelease> } | Refused);

/** How long a reading is good for while no release says so. */
const DEFAULT_MAX_AGE_SECONDS = 5;

/** A clock's UTC day. */
export function dayOf(now: Date): string {
  return now.toISOString().slice(0, 10);
}

/**
 * Loads what the pointer names and nothing else. No timer runs, because a host may freeze between two requests: a request that
 * finds the last reading too old awaits a new one, and any load, before it is answered. Requests that wait at the same time share
 * one reading and one load. The release that a rollback would serve stays loaded beside the champion. @param beside what that one is loaded
 * by: its faults are none of the champion's
 */
export function champions(deps: Serving, beside: Loading = deps): Champions {
  const { clock, ledger, model } = deps;
  const releases = new Map<Digest, Loaded<LoadedRelease>>();
  /** Releases that no second attempt loads: their bytes do not change. */
  const refusals = new Map<Digest, Refused>();
  let reading: Reading | undefined;
  let refreshing: Promise<Refused | undefined> | undefined;
  /** How many releases were loaded so far. */
  let loads = 0;

  const maxAge = (): number =>
    1000 * (reading?.kind === 'ready' ? reading.champion.value.online.pointerMaxAgeSeconds : DEFAULT_MAX_AGE_SECONDS);

  const ensure = async (release: Digest, from: Loading): Promise<Loaded<LoadedRelease> | Refused> => {
    const known = releases.get(release);
    if (known !== undefined) return known;
    const result = refusals.get(release) ?? (await loadRelease(from, release));
    if (result.kind === 'refused') {
      refusals.set(release, result);
      return result;
    }
    const made = loaded(result.release, () => result.release.close());
    releases.set(release, made);
    loads += 1;
    return made;
  };

  /** A release with the features of the day that requests are expected of. */
  const prepare = async (release: Digest, from: Loading = deps): Promise<Loaded<LoadedRelease> | Refused> => {
    try {
      // Without its log it would answer nothing.
      const [found] = await Promise.all([ensure(release, from), deps.log.open()]);
      if ('kind' in found) return unservable(release, found);
      const today = dayOf(clock.now());
      try {
        await found.value.refresh(today);
      } catch (fault) {
        return { kind: 'refused', refusal: refusal('aggregates-load', messageOf(fault), 'try again'), fault };
      }
      // What is refused here is refused again to whoever asks for the day.
      const features = await found.value.featuresOf(found.value.servedDays(today).at(-1) ?? today);
      if (features.kind === 'leased') await features.lease.end();
      return found;
    } catch (fault) {
      const rule = isDependencyFault(fault) ? 'release-read' : 'champion-loads';
      return { kind: 'refused', refusal: refusal(rule, `${release}: ${messageOf(fault)}`), fault };
    }
  };

  const refresh = async (): Promise<Refused | undefined> => {
    const readAt = clock.now().getTime();
    let pointer: Pointer | undefined;
    let policy: ActivePolicy | undefined;
    try {
      // A policy that this code cannot read keeps nobody from an answer: nothing is called slow then.
      [pointer, policy] = await Promise.all([
        readPointer(ledger, model),
        readActivePolicy(ledger, model).catch(() => undefined),
      ]);
    } catch (fault) {
      return { kind: 'refused', refusal: refusal('pointer-read', messageOf(fault)), fault };
    }
    if (pointer === undefined)
      return { kind: 'refused', refusal: refusal('champion-promoted', `nothing is promoted of ${model}`) };
    const target = pointer.lastConfirmed?.release;
    // A target of a rollback that does not load is ignored until it is served.
    const [champion] = await Promise.all([
      prepare(pointer.current),
      target === undefined || target === pointer.current ? undefined : prepare(target, beside),
    ]);
    const about = { readAt, pointer, slowAboveMs: slowAbove(pointer, policy, champion) };
    reading = 'kind' in champion ? { ...about, ...champion } : { ...about, kind: 'ready', champion };
    const kept = new Set([pointer.current, target]);
    for (const release of refusals.keys()) if (!kept.has(release)) refusals.delete(release);
    for (const [release, old] of releases) {
      if (kept.has(release)) continue;
      releases.delete(release);
      await old.retire();
    }
    return undefined;
  };

  return {
    async take() {
      const arrived = clock.now().getTime();
      let hasWaited = false;
      const loadsBefore = loads;
      for (;;) {
        const age = reading === undefined ? Number.POSITIVE_INFINITY : arrived - reading.readAt;
        // A reading from the future is of a clock that was set back, unless this request has waited for it.
        if (reading !== undefined && age <= maxAge() && (age >= 0 || hasWaited)) {
          if (reading.kind === 'refused') return reading;
          const lease = reading.champion.lease();
          if (lease !== undefined) {
            const { pointer } = reading;
            const slowAboveMs = loads === loadsBefore ? reading.slowAboveMs : undefined;
            return { kind: 'champion', pointer, lease, slowAboveMs };
          }
        }
        refreshing ??= refresh().finally(() => {
          refreshing = undefined;
        });
        const failed = await refreshing;
        if (failed !== undefined) return failed;
        hasWaited = true;
      }
    },
    async close() {
      await refreshing;
      reading = undefined;
      for (const [release, old] of releases) {
        releases.delete(release);
        await old.retire();
      }
    },
  };
}

/** What the policy in force calls slow, of the baseline that was pinned when the release was promoted. */
function slowAbove(
  { latency }: Pointer,
  policy: ActivePolicy | undefined,
  champion: Loaded<LoadedRelease> | Refused,
): number | undefined {
  const rule = policy?.rules.serving;
  // A pointer that was written before baselines were pinned has the model's objective.
  const p99 = latency?.p99 ?? ('kind' in champion ? undefined : champion.value.online.objectiveMs);
  return p99 === undefined || rule === undefined ? undefined : rule.latency.factor * p99;
}

/** Whatever refused the champion, the cause is the release and not the request. */
function unservable(release: Digest, refused: Refused): Refused {
  if (statusOf(refused.refusal) === 503) return refused;
  return { ...refused, refusal: refusal('champion-loads', `${release}: ${refusalText(refused.refusal)}`) };
}

function messageOf(fault: unknown): string {
  if (fault instanceof GatehouseError) return `${fault.code}: ${fault.message}`;
  return fault instanceof Error ? fault.message : String(fault);
}
