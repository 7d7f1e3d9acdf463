import { type Item, type Key, keyText, withoutKey } from '../../ledger/item.ts';
import { keys } from '../../ledger/keys.ts';
import { ActivePolicy, countVotes, PolicyApproval } from '../../policy/activation.ts';
import { judgeGrounds, whyNotCommitting } from '../../promotion/grounds.ts';
import { groundsBy } from '../../promotion/grounds-items.ts';
import { Promotion } from '../../promotion/promotion.ts';
import { detailsOf } from '../chain.ts';
import type { Invariant, ReadRecord } from '../invariant.ts';
import { atEach, type Items } from './replayed.ts';

/** Each commit, judged again by the commit's own rules on the ledger as the chain rebuilds it at that moment. */
export const promotionsGrounded: Invariant = {
  id: 'promotions-grounded',
  meaning:
    'each promotion was committed on request, transition, policy, upstream releases, evidence and approvals that stood at that moment',
  check: (_, records) =>
    atEach(records, (items, record) => (record.code === 'RELEASE_PROMOTED' ? whyNotGrounded(items, record) : [])),
};

/** Each replacement of a policy, with the votes as the chain rebuilds them at that moment. */
export const policiesVoted: Invariant = {
  id: 'policies-voted',
  meaning:
    'each policy that replaced another was voted for by enough distinct people of the roles that the one before names, by votes that had not expired',
  check: (_, records) =>
    atEach(records, (items, record) => (record.code === 'POLICY_ACTIVATED' ? whyNotVoted(items, record) : [])),
};

function whyNotVoted(items: Items, record: ReadRecord['record']): readonly string[] {
  const { policy, replaces } = detailsOf(record, 'POLICY_ACTIVATED');
  const before = items.get(keyText(keys.policy(record.model)));
  // The first policy is activated by being deployed: nothing was served, and nothing could say who decides.
  if (before === undefined) return replaces === null ? [] : [`record ${record.seq} replaces a policy that never was`];
  const active = withoutKey(ActivePolicy, before);
  const { pk, sk } = keys.policyApproval(record.model, active.activation, policy, '');
  const votes = [...items.values()]
    .filter((item) => item.pk === pk && item.sk.startsWith(sk))
    .map((item) => withoutKey(PolicyApproval, item));
  const { missing } = countVotes(active, policy, votes, new Date(record.at));
  return missing.map(({ role, count }) => `${policy} was activated (record ${record.seq}) without ${count} of ${role}`);
}

function whyNotGrounded(items: Items, record: ReadRecord['record']): readonly string[] {
  const { promotion: name } = detailsOf(record, 'RELEASE_PROMOTED');
  const { model } = record;
  const find = (key: Key): Item | undefined => items.get(keyText(key));
  const opened = find(keys.promotion(model, name));
  if (opened === undefined) return [`${name} was committed (record ${record.seq}), and no record opened it`];
  const promotion = withoutKey(Promotion, opened);
  const approvals = [...items.values()].filter(
    (item) => item.pk === keys.approvals(model) && item.sk.startsWith(`${name}#`),
  );
  const grounds = groundsBy(promotion, find, approvals);
  const refusal = whyNotCommitting(judgeGrounds(grounds, new Date(record.at)));
  return refusal === undefined
    ? []
    : [`${name} was committed (record ${record.seq}) against ${refusal.rule}: ${refusal.found}`];
}
