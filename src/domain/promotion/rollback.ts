import type { AuditEvent } from '../audit/events.ts';
import type { Digest } from '../canonical/digest.ts';
import type { Refusal } from '../error.ts';
import { ABSENT, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { advancePointer, type Pointer, pointerWrite } from './pointer.ts';

export type RollbackTarget =
  | { readonly kind: 'target'; readonly release: Digest; readonly version: string }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** Where a rollback goes: to the release that was confirmed before the current one, never blindly to "the previous". */
export function rollbackTarget(
  pointer: Pointer | undefined,
  isQuarantined: (release: Digest) => boolean,
): RollbackTarget {
  if (pointer === undefined) {
    return {
      kind: 'refuse',
      refusal: { rule: 'rollback-target', found: 'nothing is in production here', remedy: 'promote a release first' },
    };
  }
  const target = pointer.lastConfirmed;
  if (target === null) {
    return {
      kind: 'refuse',
      refusal: {
        rule: 'rollback-target',
        found: `${pointer.version} is the first release here: there is nothing to go back to`,
        remedy: 'promote another release',
      },
    };
  }
  if (isQuarantined(target.release)) {
    return {
      kind: 'refuse',
      refusal: { rule: 'release-quarantined', found: target.version, remedy: 'promote another release' },
    };
  }
  return { kind: 'target', ...target };
}

/** The transaction of a rollback: the pointer goes back, the digest that it named is quarantined, for ever. */
export function rollBack(
  pointer: Pointer,
  target: { readonly release: Digest; readonly version: string },
  /** What the target had behind it when it was current: where a second rollback would go. */
  behind: Pointer['lastConfirmed'],
  rollback: { readonly id: string; readonly actor: string; readonly reason: string; readonly now: Date },
): { readonly pointer: Pointer; readonly writes: readonly Write[]; readonly event: AuditEvent } {
  const next = advancePointer(pointer, {
    model: pointer.model,
    environment: pointer.environment,
    current: target.release,
    version: target.version,
    lastConfirmed: behind,
    fencingToken: pointer.fencingToken,
    writtenBy: rollback.id,
    at: rollback.now.toISOString(),
  });
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
