import { digestOf } from '../../canonical/digest.ts';
import { GatehouseError } from '../../error.ts';
import { type Item, keyText, unkey } from '../../ledger/item.ts';
import { keys } from '../../ledger/keys.ts';
import { judgeGrounds, whyNotCommitting } from '../../promotion/grounds.ts';
import { groundKeys, groundsFrom } from '../../promotion/grounds-items.ts';
import { Pointer } from '../../promotion/pointer.ts';
import { Promotion } from '../../promotion/promotion.ts';
import { changedItems } from '../changes.ts';
import { detailsOf } from '../chain.ts';
import type { Invariant, ReadRecord } from '../invariant.ts';

/** Each commit, judged again by the commit's own rules on the ledger as the chain rebuilds it at that moment. */
export const promotionsGrounded: Invariant = {
  id: 'promotions-grounded',
  meaning:
    'each promotion was committed on grounds that stood at that moment: a verified request, its derived transition, the policy in force and what it pins, releases upstream that were not withdrawn, evidence and approvals',
  check({ stored }, records) {
    const changes = new Map(stored.map((item) => [item.seq, item.changes]));
    const items = new Map<string, Item>();
    return records.flatMap(({ record }) => {
      const found = record.code === 'RELEASE_PROMOTED' ? whyNotGrounded(items, record) : [];
      const text = changes.get(record.seq) ?? '';
      // Torn changes are another invariant's finding: they rebuild nothing here.
      if (digestOf(text) === record.changes) for (const item of changedItems(text)) items.set(keyText(item), item);
      return found;
    });
  },
};

function whyNotGrounded(items: ReadonlyMap<string, Item>, record: ReadRecord['record']): readonly string[] {
  const { promotion: name } = detailsOf(record, 'RELEASE_PROMOTED');
  const { model } = record;
  const find = (key: Parameters<typeof keyText>[0]): Item | undefined => items.get(keyText(key));
  const opened = find(keys.promotion(model, name));
  if (opened === undefined) return [`${name} was committed (record ${record.seq}), and no record opened it`];
  try {
    const promotion = unkey(Promotion, opened);
    const pointer = find(keys.pointer(model));
    const needed = groundKeys(promotion, pointer === undefined ? undefined : unkey(Pointer, pointer));
    const approvals = [...items.values()].filter(
      (item) => item.pk === keys.approvals(model) && item.sk.startsWith(`${name}#`),
    );
    const refusal = whyNotCommitting(
      judgeGrounds(groundsFrom(promotion, needed.map(find), approvals), new Date(record.at)),
    );
    return refusal === undefined
      ? []
      : [`${name} was committed (record ${record.seq}) against ${refusal.rule}: ${refusal.found}`];
  } catch (error) {
    if (error instanceof GatehouseError) return [`${name}: what it rests on cannot be read: ${error.message}`];
    throw error;
  }
}
