import { isDependencyFault } from '#domain/alarm/attribution.ts';
import { parseDocument } from '#domain/canonical/digest.ts';
import { type CalledArm, releaseOf } from '#domain/promotion/traffic.ts';
import { refusal } from '#domain/refusal/refusal.ts';
import { answer } from './answer.ts';
import { ArmCall, type ArmAnswer } from './arm-protocol.ts';
import { type Answering, type Champion, champions } from './champion.ts';
import { withCircuits } from './circuits.ts';
import { readRows } from './event-rows.ts';
import { madeOf } from './log-entry.ts';
import { statusOf } from './protocol.ts';
import { readRequest } from './read-request.ts';
import type { Refused } from './release.ts';

/** An answer of an arm, and what was thrown where there is none: for the host's log. */
export interface SaidByArm {
  readonly answer: ArmAnswer;
  readonly fault?: unknown;
}

/** Answers for one arm while the traffic is divided. */
export interface ArmCore {
  /** @throws GatehouseError `BAD_DOCUMENT` where the call is none */
  answer(payload: unknown): Promise<SaidByArm>;
  close(): Promise<void>;
}

/**
 * Makes what answers for an arm. It loads what the pointer names for its arm and nothing else, as an endpoint loads its champion, and
 * neither logs nor measures: the endpoint does, of what it answers.
 */
export function armCore(deps: Answering, arm: CalledArm): ArmCore {
  const serving = champions({ ...deps, ...withCircuits(deps).guarded }, (pointer, now) => {
    const named = releaseOf(pointer, arm, now);
    if (named !== undefined) return { named, beside: {} };
    return refusal('arm-planned', `pointer ${pointer.seq} of ${pointer.model} names no ${arm}`);
  });
  return {
    async answer(payload) {
      const call = parseDocument(ArmCall, payload, 'call of an arm');
      try {
        const taken = await serving.take(call.pointerSeq);
        if (taken.kind === 'refused') return refused(taken);
        try {
          return await answered(taken, call);
        } finally {
          await taken.lease.end();
        }
      } catch (fault) {
        const rule = isDependencyFault(fault) ? 'release-read' : 'answer-computed';
        return refused({ refusal: refusal(rule, fault instanceof Error ? fault.message : String(fault)), fault });
      }
    },
    close: () => serving.close(),
  };
}

async function answered(taken: Champion, call: ArmCall): Promise<SaidByArm> {
  const read = readRequest(new TextEncoder().encode(call.body), {});
  if (read.kind === 'refused') return refused(read);
  const { definition, release } = taken.lease.value;
  const rows = readRows(definition, read.request);
  const result = await answer(taken, read.request, rows, new Date(call.startedAt));
  if (result.kind === 'refused') return refused(result);
  return { answer: { kind: 'answered', release, ...madeOf(definition, result) } };
}

function refused({ refusal: why, fault }: Pick<Refused, 'refusal' | 'fault'>): SaidByArm {
  const answer = { kind: 'refused', status: statusOf(why), refusal: why } as const;
  return fault === undefined ? { answer } : { answer, fault };
}
