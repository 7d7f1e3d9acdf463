import type { Digest } from '#domain/canonical/digest.ts';
import { isDependencyFault } from '#domain/alarm/attribution.ts';
import { GatehouseError } from '#domain/error.ts';
import type { ActivePolicy } from '#domain/policy/activation.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { championOf, type NamedRelease, planInForce } from '#domain/promotion/traffic.ts';
import { refusal, refusalText, type Refusal } from '#domain/refusal/refusal.ts';
import type { ArmCaller } from '#ports/arms.ts';
import type { Clock } from '#ports/clock.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import type { Metrics } from '#ports/metrics.ts';
import type { RequestLog } from '#ports/request-log.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { type Lease, loaded, type Loaded } from './leases.ts';
import { statusOf } from './protocol.ts';
import { type LoadedRelease, type Loading, loadRelease, type Refused } from './release.ts';

/** What it takes to answer by what the pointer names. */
export interface Answering extends Loading {
  readonly ledger: Pick<ReadableLedger, 'get' | 'getMany' | 'query'>;
  readonly clock: Clock;
  /** Made ready while a release is loaded, where answers are logged. */
  readonly log?: Pick<RequestLog, 'open'>;
}

export interface Serving extends Answering {
  readonly log: RequestLog;
  /** The functions that answer for the other arms while the traffic is divided. */
  readonly arms: ArmCaller;
  /** What alarms watch; `arm` and the rest of the dimensions are the core's. */
  readonly metrics: Metrics;
  readonly environment: string;
}

/** The release that a pointer names, in use by one request. */
export interface Champion {
  readonly kind: 'champion';
  readonly pointer: Pointer;
  /** What of the pointer it is: the champion, but in an arm's function. */
  readonly named: NamedRelease;
  readonly lease: Lease<LoadedRelease>;
  /** Milliseconds above which an answer is slow, by the policy in force; undefined where it does not say, and for whoever waited for a load. */
  readonly slowAboveMs: number | undefined;
}

/** Knows which release answers. */
export interface Champions {
  /**
   * The release that answers a request which arrives now; whoever gets it ends the lease.
   *
   * @param seq of a pointer that was read elsewhere: an older reading is read again
   */
  take(seq?: number): Promise<Champion | Refused>;
  /** Lets go of everything. */
  close(): Promise<void>;
}

/** What a reading of the pointer has loaded. */
interface Wanted {
  /** What answers. */
  readonly named: NamedRelease;
  /** What may answer after a switch, and is loaded beside it, so that a switch loads nothing. */
  readonly beside: { readonly [Of in keyof Beside]?: Digest | undefined };
}

/** What is loaded beside the champion is loaded by ways of its own: the faults of one are none of another's. */
export interface Beside {
  /** What a rollback would serve. */
  readonly rollback: Loading;
  /** What a blue-green plan would switch to. */
  readonly candidate: Loading;
}

/** What the last reading of the pointer came to: `readAt` is when it began, in milliseconds. */
type Reading = {
  readonly readAt: number;
  readonly pointer: Pointer;
  readonly slowAboveMs: number | undefined;
} & ({ readonly kind: 'ready'; readonly named: NamedRelease; readonly champion: Loaded<LoadedRelease> } | Refused);

/** How long a reading is good for while no release says so. */
const DEFAULT_MAX_AGE_SECONDS = 5;

/** A clock's UTC day. */
export function dayOf(now: Date): string {
  return now.toISOString().slice(0, 10);
}

/** What an endpoint serves: the champion. The release of a rollback and the candidate of a blue-green plan are loaded beside it. */
export function servedBy(pointer: Pointer, now: Date): Wanted {
  const plan = planInForce(pointer, now);
  const candidate = plan?.kind === 'blue-green' ? plan.candidate : undefined;
  return { named: championOf(pointer), beside: { rollback: pointer.lastConfirmed?.release, candidate } };
}

/**
 * Loads what the pointer names and nothing else. No timer runs, because a host may freeze between two requests: a request that
 * finds the last reading too old awaits a new one, and any load, before it is answered. Requests that wait at the same time share
 * one reading and one load.
 */
export function champions(
  deps: Answering,
  wanted: (pointer: Pointer, now: Date) => Wanted | Refusal = servedBy,
  beside: Beside = { rollback: deps, candidate: deps },
): Champions {
  const { clock, ledger, model } = deps;
  const releases = new Map<Digest, Loaded<LoadedRelease>>();
  /** Releases that no second attempt loads: their bytes do not change. */
  const refusals = new Map<Digest, Refused>();
  let reading: Reading | undefined;
  let refreshing: Promise<Refused | undefined> | undefined;
  /** How many releases were loaded so far, or could not be: whoever waits for that waits for no champion. */
  let loads = 0;

  const maxAge = (): number =>
    1000 * (reading?.kind === 'ready' ? reading.champion.value.online.pointerMaxAgeSeconds : DEFAULT_MAX_AGE_SECONDS);

  const ensure = async (release: Digest, from: Loading): Promise<Loaded<LoadedRelease> | Refused> => {
    const known = releases.get(release);
    if (known !== undefined) return known;
    const refused = refusals.get(release);
    if (refused !== undefined) return refused;
    loads += 1;
    const result = await loadRelease(from, release);
    if (result.kind === 'refused') {
      refusals.set(release, result);
      return result;
    }
    const made = loaded(result.release, () => result.release.close());
    releases.set(release, made);
    return made;
  };

  /** A release with the features of the day that requests are expected of. */
  const prepare = async (release: Digest, from: Loading = deps): Promise<Loaded<LoadedRelease> | Refused> => {
    try {
      // Without its log it would answer nothing.
      const [found] = await Promise.all([ensure(release, from), deps.log?.open()]);
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
    const found = wanted(pointer, clock.now());
    const kept = new Set<Digest>();
    if ('rule' in found) {
      reading = { readAt, pointer, slowAboveMs: undefined, kind: 'refused', refusal: found };
    } else {
      const { named } = found;
      kept.add(named.release);
      const others = (['rollback', 'candidate'] as const).flatMap((of) => {
        const release = found.beside[of];
        if (release === undefined || kept.has(release)) return [];
        kept.add(release);
        return [prepare(release, beside[of])];
      });
      // What does not load beside it is ignored until it is served.
      const [main] = await Promise.all([prepare(named.release), ...others]);
      const about = { readAt, pointer, slowAboveMs: slowAbove(pointer, policy, main) };
      reading = 'kind' in main ? { ...about, ...main } : { ...about, kind: 'ready', named, champion: main };
    }
    for (const release of refusals.keys()) if (!kept.has(release)) refusals.delete(release);
    for (const [release, old] of releases) {
      if (kept.has(release)) continue;
      releases.delete(release);
      await old.retire();
    }
    return undefined;
  };

  return {
    async take(seq = 0) {
      const arrived = clock.now().getTime();
      let waits = 0;
      const loadsBefore = loads;
      for (;;) {
        const age = reading === undefined ? Number.POSITIVE_INFINITY : arrived - reading.readAt;
        // A reading from the future is of a clock that was set back, unless this request has waited for it.
        // The first reading that it waits for may have begun before it: the second one is as new as it can be.
        const isNew = waits > 1 || (reading?.pointer.seq ?? 0) >= seq;
        if (reading !== undefined && isNew && age <= maxAge() && (age >= 0 || waits > 0)) {
          if (reading.kind === 'refused') return reading;
          const lease = reading.champion.lease();
          if (lease !== undefined) {
            const { pointer, named } = reading;
            const slowAboveMs = loads === loadsBefore ? reading.slowAboveMs : undefined;
            return { kind: 'champion', pointer, named, lease, slowAboveMs };
          }
        }
        refreshing ??= refresh().finally(() => {
          refreshing = undefined;
        });
        const failed = await refreshing;
        if (failed !== undefined) return failed;
        waits += 1;
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
