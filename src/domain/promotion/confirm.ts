import type { AuditEvent } from '../audit/events.ts';
import type { Digest } from '../canonical/digest.ts';
import { type Refusal, RULES } from '../refusal/refusal.ts';
import type { Write } from '../ledger/item.ts';
import { type Pointer, pointerWrite } from './pointer.ts';

/** What is confirmed, by whom, and on what grounds. */
export interface Confirmation {
  readonly id: string;
  readonly actor: string;
  readonly reason: string;
  readonly evidence: Digest | null;
  readonly release: Digest;
  readonly epoch: number;
}

export type ConfirmDecision =
  | {
      readonly kind: 'confirm';
      readonly pointer: Pointer;
      readonly writes: readonly Write[];
      readonly event: AuditEvent;
    }
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/**
 * Ends the probation of the release that the pointer names: `seq` grows, `epoch` does not, because the serving set is the
 * same. What was judged in another epoch is not what is served now.
 */
export function confirmRelease(pointer: Pointer | undefined, confirmation: Confirmation): ConfirmDecision {
  const { release, epoch } = confirmation;
  if (pointer === undefined) return refuse('probation-release', 'nothing is in production here');
  if (pointer.epoch !== epoch) {
    return refuse(
      'probation-epoch',
      `the decision is about epoch ${epoch}; the pointer is in epoch ${pointer.epoch}, since ${pointer.at}, with ${pointer.version} (${pointer.current})`,
    );
  }
  if (pointer.current !== release)
    return refuse('probation-release', `the pointer names ${pointer.version} (${pointer.current}), not ${release}`);
  if (pointer.status === 'confirmed') return { kind: 'confirmed' };
  const next: Pointer = {
    ...pointer,
    status: 'confirmed',
    until: null,
    seq: pointer.seq + 1,
    writtenBy: confirmation.id,
  };
  return {
    kind: 'confirm',
    pointer: next,
    writes: [pointerWrite(pointer, next)],
    event: {
      code: 'RELEASE_CONFIRMED',
      actor: confirmation.actor,
      release,
      details: {
        confirmation: confirmation.id,
        version: pointer.version,
        reason: confirmation.reason,
        evidence: confirmation.evidence,
        pointerSeq: next.seq,
        epoch,
      },
    },
  };
}

function refuse(rule: 'probation-release' | 'probation-epoch', found: string): ConfirmDecision {
  return { kind: 'refuse', refusal: { rule, found, remedy: RULES['probation-epoch'].remedy } };
}
