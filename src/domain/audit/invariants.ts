import { digestOf } from '../canonical/digest.ts';
import { AuditRecord } from './chain.ts';
import { changedItems } from './changes.ts';
import { AUDIT_EVENTS } from './events.ts';
import type { Invariant, LedgerState, ReadRecord } from './invariant.ts';
import { chainPublished, chainUnbroken } from './invariants/chain.ts';
import { policiesVoted, promotionsGrounded } from './invariants/grounds.ts';
import { epochsFollow, trafficDivided } from './invariants/pointer.ts';
import { lockOwned, pointerFollowsChain, promotionsApproved, promotionsProven } from './invariants/promotions.ts';
import { nothingQuarantined, quarantinesVoted } from './invariants/quarantines.ts';
import { ledgerReplays } from './invariants/replay.ts';
import { baselineServable, predictionsWhole, releasesWhole } from './invariants/serving.ts';

/** What must hold of every environment at any time. */
export const INVARIANTS: readonly Invariant[] = [
  chainUnbroken,
  chainPublished,
  ledgerReplays,
  pointerFollowsChain,
  epochsFollow,
  trafficDivided,
  promotionsProven,
  promotionsApproved,
  promotionsGrounded,
  policiesVoted,
  lockOwned,
  nothingQuarantined,
  quarantinesVoted,
  releasesWhole,
  baselineServable,
  predictionsWhole,
];

/** An invariant's verdict on a state: it holds when nothing was found. */
export interface InvariantResult {
  readonly environment: string;
  readonly model: string;
  readonly invariant: string;
  readonly meaning: string;
  readonly found: readonly string[];
}

/** Holds a state against every invariant. */
export function checkInvariants(state: LedgerState): readonly InvariantResult[] {
  const records = readable(state);
  return INVARIANTS.map((invariant) => ({
    environment: state.environment,
    model: state.model,
    invariant: invariant.id,
    meaning: invariant.meaning,
    found: invariant.check(state, records),
  }));
}

/** The records that can be read; those that cannot, or whose details are not what their code asks, break the chain. */
function readable({ stored }: LedgerState): readonly ReadRecord[] {
  return stored.flatMap(({ document, changes }) => {
    let value: unknown;
    try {
      value = JSON.parse(document);
    } catch {
      return [];
    }
    const { data: record } = AuditRecord.safeParse(value);
    const isRead = record !== undefined && AUDIT_EVENTS[record.code].details.safeParse(record.details).success;
    if (!isRead) return [];
    const changed = digestOf(changes) === record.changes ? changedItems(changes) : undefined;
    return [{ record, hash: digestOf(document), changed }];
  });
}
