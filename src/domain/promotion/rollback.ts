import type { AuditEvent } from '../audit/events.ts';
import type { Digest } from '../canonical/digest.ts';
import { type Refusal, refusal, type Refusing } from '../refusal/refusal.ts';
import type { Write } from '../ledger/item.ts';
import { advancePointer, type Pointer, pointerWrite } from './pointer.ts';
import { notQuarantined, quarantineWrite } from './quarantine.ts';

export type RollbackTarget =
  | {
      readonly kind: 'target';
      readonly release: Digest;
      readonly version: string;
      /** The versions that were confirmed after it, newest first: they stay what they are, and no later rollback goes to them. */
      readonly skipped: readonly string[];
    }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** What a rollback is about: a release, and the epoch in which it was seen to be wrong. */
export interface Attributed {
  readonly from: Digest;
  readonly epoch: number;
}

/**
 * Where a rollback goes: to the release that was confirmed before the current one, or to an older one that is named; never blindly to
 * "the previous".
 *
 * @param to the digest of a confirmed release of the rollback history
 */
export function rollbackTarget(
  pointer: Pointer | undefined,
  isQuarantined: (release: Digest) => boolean,
  to: Digest | null = null,
): RollbackTarget {
  if (pointer === undefined)
    return refuse('rollback-target', 'nothing is in production here', 'promote a release first');
  const confirmed = behind(pointer);
  const [first] = confirmed;
  if (first === undefined) {
    const found = `${pointer.version} is the first release here: there is nothing to go back to`;
    return refuse('rollback-target', found, 'promote another release');
  }
  const target = to === null ? first : confirmed.find(({ release }) => release === to);
  if (target === undefined) {
    const known = confirmed.map(({ version }) => version).join(', ');
    return refuse('rollback-target', `${to} was not confirmed before ${pointer.version}`, `name one of: ${known}`);
  }
  const { release, version } = target;
  if (isQuarantined(release)) return refuse('release-quarantined', version, 'promote another release');
  const skipped = confirmed.slice(0, confirmed.indexOf(target)).map((each) => each.version);
  return { kind: 'target', release, version, skipped };
}

/** The confirmed releases that a rollback can go back to, newest first. */
export function behind({ lastConfirmed, rollbackHistory }: Pointer): Pointer['rollbackHistory'] {
  return lastConfirmed === null ? [] : [lastConfirmed, ...rollbackHistory];
}

/** Why a rollback is not about what the pointer says now, or undefined: an alarm of an older epoch rolls nothing back. */
export function whyNotAttributed(pointer: Pointer, { from, epoch }: Attributed): Refusal | undefined {
  // The same digest may be served again since: what was seen of it in another epoch is no reason to roll it back now.
  if (pointer.epoch !== epoch) {
    const found = `the rollback is about epoch ${epoch}; the pointer is in epoch ${pointer.epoch}, since ${pointer.at}, with ${pointer.version} (${pointer.current})`;
    return refusal('rollback-epoch', found);
  }
  if (pointer.current === from) return undefined;
  const found = `the pointer names ${pointer.version} (${pointer.current}), not ${from}`;
  return refusal('rollback-from', found);
}

/** The transaction of a rollback: the pointer goes back, the digest that it named is quarantined. */
export function rollBack(
  pointer: Pointer,
  target: { readonly release: Digest; readonly version: string; readonly skipped?: readonly string[] },
  rollback: { readonly id: string; readonly actor: string; readonly reason: string; readonly now: Date },
): { readonly pointer: Pointer; readonly writes: readonly Write[]; readonly event: AuditEvent } {
  const confirmed = behind(pointer);
  const from = confirmed.findIndex(({ release }) => release === target.release);
  const kept = confirmed[from];
  const next = advancePointer(
    pointer,
    {
      model: pointer.model,
      environment: pointer.environment,
      current: target.release,
      version: target.version,
      fencingToken: pointer.fencingToken,
      writtenBy: rollback.id,
      at: rollback.now.toISOString(),
    },
    from === -1 ? [] : confirmed.slice(from + 1),
    { until: null, pendingPropagation: kept?.pendingPropagation ?? null, latency: kept?.latency ?? null },
  );
  return {
    pointer: next,
    writes: [
      pointerWrite(pointer, next),
      quarantineWrite(pointer.model, {
        release: pointer.current,
        version: pointer.version,
        reason: rollback.reason,
        rollback: rollback.id,
        actor: rollback.actor,
        at: rollback.now.toISOString(),
      }),
      notQuarantined(pointer.model, target.release),
    ],
    event: {
      code: 'RELEASE_ROLLED_BACK',
      actor: rollback.actor,
      release: target.release,
      details: {
        rollback: rollback.id,
        version: target.version,
        from: pointer.current,
        reason: rollback.reason,
        ...((target.skipped ?? []).length === 0 ? {} : { skipped: [...(target.skipped ?? [])] }),
        pointerSeq: next.seq,
        epoch: next.epoch,
      },
    },
  };
}

function refuse(...why: Refusing): RollbackTarget {
  return { kind: 'refuse', refusal: refusal(...why) };
}
