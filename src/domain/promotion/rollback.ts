import type { AuditEvent } from '../audit/events.ts';
import type { Digest } from '../canonical/digest.ts';
import { type Refusal, refusal, type Refusing } from '../refusal/refusal.ts';
import { ABSENT, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { advancePointer, type Pointer, pointerWrite } from './pointer.ts';

export type RollbackTarget =
  | { readonly kind: 'target'; readonly release: Digest; readonly version: string }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** What a rollback is about: a release, and the epoch in which it was seen to be wrong. */
export interface Attributed {
  readonly from: Digest;
  readonly epoch: number;
}

/** Where a rollback goes: to the release that was confirmed before the current one, never blindly to "the previous". */
export function rollbackTarget(
  pointer: Pointer | undefined,
  isQuarantined: (release: Digest) => boolean,
): RollbackTarget {
  if (pointer === undefined) {
    return refuse('rollback-target', 'nothing is in production here', 'promote a release first');
  }
  const target = pointer.lastConfirmed;
  if (target === null) {
    const found = `${pointer.version} is the first release here: there is nothing to go back to`;
    return refuse('rollback-target', found, 'promote another release');
  }
  if (isQuarantined(target.release)) return refuse('release-quarantined', target.version, 'promote another release');
  return { kind: 'target', release: target.release, version: target.version };
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

/** The transaction of a rollback: the pointer goes back, the digest that it named is quarantined, for ever. */
export function rollBack(
  pointer: Pointer,
  target: { readonly release: Digest; readonly version: string },
  rollback: { readonly id: string; readonly actor: string; readonly reason: string; readonly now: Date },
): { readonly pointer: Pointer; readonly writes: readonly Write[]; readonly event: AuditEvent } {
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
    pointer.rollbackHistory,
    { until: null, pendingPropagation: pointer.lastConfirmed?.pendingPropagation ?? null },
  );
  return {
    pointer: next,
    writes: [
      pointerWrite(pointer, next),
      {
        kind: 'put',
        item: {
          ...keys.quarantine(pointer.model, pointer.current),
          release: pointer.current,
          version: pointer.version,
          reason: rollback.reason,
          rollback: rollback.id,
          at: rollback.now.toISOString(),
        },
        condition: ABSENT,
      },
      { kind: 'check', key: keys.quarantine(pointer.model, target.release), condition: ABSENT },
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
        pointerSeq: next.seq,
        epoch: next.epoch,
      },
    },
  };
}

function refuse(...why: Refusing): RollbackTarget {
  return { kind: 'refuse', refusal: refusal(...why) };
}
