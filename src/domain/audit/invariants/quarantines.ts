import type { Digest } from '../../canonical/digest.ts';
import { type Item, keyText, withoutKey } from '../../ledger/item.ts';
import { authorityOf, keys } from '../../ledger/keys.ts';
import { ActivePolicy } from '../../policy/activation.ts';
import { countLiftVotes, Quarantine, QuarantineApproval, whyNotLiftable } from '../../promotion/quarantine.ts';
import { detailsOf } from '../chain.ts';
import { GateId, phaseOf } from '../../gates/gate.ts';
import { isOpen } from '../../promotion/promotion.ts';
import type { Invariant, LedgerState, ReadRecord } from '../invariant.ts';
import { atEach, type Items } from './replayed.ts';

/** What was rolled back stays away, unless people have lifted its quarantine. */
export const nothingQuarantined: Invariant = {
  id: 'nothing-quarantined',
  meaning:
    'no quarantined digest is served, and every digest that was rolled back or failed its canary is quarantined, unless that quarantine was lifted afterwards',
  check({ pointer, quarantined, promotions }, records) {
    const served =
      pointer !== undefined && quarantined.includes(pointer.current)
        ? [`the pointer names ${pointer.version}, which is quarantined`]
        : [];
    const chain = records.map(({ record }) => record);
    const free = chain.flatMap((record) => {
      const taken = takenAway(record);
      if (taken === undefined) return [];
      const { from, rollback, how } = taken;
      const isLifted = chain.some(
        (each) =>
          each.code === 'QUARANTINE_LIFTED' &&
          each.seq > record.seq &&
          each.release === from &&
          detailsOf(each, each.code).rollback === rollback,
      );
      return isLifted || quarantined.includes(from)
        ? []
        : [`${from} was ${how} (record ${record.seq}) and is not quarantined`];
    });
    return [...served, ...free, ...neverEnded(chain, promotions)];
  },
};

/** Candidates of which a shadow or a canary said FAIL, and whose canary nobody has ended although their promotion is over. */
function neverEnded(chain: readonly ReadRecord['record'][], promotions: LedgerState['promotions']): readonly string[] {
  const open = new Set(promotions.filter(({ status }) => isOpen(status)).map(({ promotion }) => promotion));
  return chain.flatMap((record) => {
    if (record.code !== 'EVIDENCE_RECORDED') return [];
    const { gate, verdict, promotion } = detailsOf(record, record.code);
    const known = GateId.safeParse(gate).data;
    if (verdict !== 'FAIL' || known === undefined || phaseOf(known) !== 'after-approval' || open.has(promotion))
      return [];
    const isEnded = chain.some(
      (each) =>
        each.code === 'CANARY_ENDED' && each.seq > record.seq && detailsOf(each, each.code).promotion === promotion,
    );
    return isEnded ? [] : [`${record.release} failed ${gate} (record ${record.seq}), and no record ends its canary`];
  });
}

/** The digest that a record quarantines, what the quarantine is bound to, and how the record says it. */
function takenAway(
  record: ReadRecord['record'],
): { readonly from: Digest; readonly rollback: string; readonly how: string } | undefined {
  if (record.code === 'RELEASE_ROLLED_BACK') return { ...detailsOf(record, record.code), how: 'rolled back' };
  if (record.code !== 'CANARY_ENDED') return undefined;
  const { candidate, promotion, quarantined } = detailsOf(record, record.code);
  return quarantined ? { from: candidate, rollback: promotion, how: 'aborted as a candidate' } : undefined;
}

/** Each quarantine that was lifted, with the votes as the chain rebuilds them at that moment. */
export const quarantinesVoted: Invariant = {
  id: 'quarantines-voted',
  meaning:
    'each quarantine that was lifted was automatic, and voted on by enough distinct people of the roles that the policy in force named, by votes that had not expired',
  check: (_, records) => atEach(records, whyNotLifted),
};

function whyNotLifted(items: Items, record: ReadRecord['record'], changed: readonly Item[]): readonly string[] {
  const lifts = changed.filter((item) => authorityOf(item.pk) === 'QUARANTINE' && item['status'] === 'lifted');
  const isLift = record.code === 'QUARANTINE_LIFTED';
  if (!isLift) return lifts.map(({ sk }) => `${record.code} (record ${record.seq}) lifts the quarantine of ${sk}`);
  const [lift, ...others] = lifts;
  if (lift === undefined || others.length > 0 || lift.sk !== record.release)
    return [`record ${record.seq} lifts ${lifts.map(({ sk }) => sk).join(', ') || 'nothing'}, not ${record.release}`];
  const { model } = record;
  const before = items.get(keyText(lift));
  const inForce = items.get(keyText(keys.policy(model)));
  const about = `the quarantine of ${lift.sk} was lifted (record ${record.seq})`;
  if (before === undefined || inForce === undefined)
    return [`${about}, and ${before === undefined ? 'there was none' : 'no policy was in force'}`];
  const quarantine = withoutKey(Quarantine, before);
  const why = whyNotLiftable(quarantine, quarantine.release);
  if (why !== undefined) return [`${about} against ${why.rule}: ${why.found}`];
  const { rollback } = detailsOf(record, 'QUARANTINE_LIFTED');
  if (rollback !== quarantine.rollback) return [`${about} for ${rollback}, and ${quarantine.rollback} made it`];
  const { pk } = keys.quarantineApproval(model, quarantine.release, rollback, '');
  const votes = [...items.values()]
    .filter((item) => item.pk === pk)
    .map((item) => withoutKey(QuarantineApproval, item));
  const { missing } = countLiftVotes(withoutKey(ActivePolicy, inForce), quarantine, votes, new Date(record.at));
  return missing.map(({ role, count }) => `${about} without ${count} of ${role}`);
}
