import type { Environment, Inbox } from '#ports/inbox.ts';
import { unkey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { Promotion } from '#domain/promotion/promotion.ts';
import { chainHead, type Recording } from '#use-cases/audit/record-change.ts';
import { refusedBy, returnApprovalToken } from '#use-cases/promotion/approval-token.ts';
import { answerIfDecided } from '#use-cases/promotion/answer-if-decided.ts';
import { endPromotion } from '#use-cases/promotion/end-promotion.ts';
import { JOB_KINDS, type ReturningTokens, returnJobToken } from '#use-cases/retraining/return-job-token.ts';

export interface Reconciling extends Recording, ReturningTokens {
  readonly inbox: Inbox;
  readonly peers: readonly Environment[];
  readonly models: readonly string[];
}

/** What one round has mended, for the log and the metrics. */
export interface Reconciled {
  readonly subscribed: readonly string[];
  readonly republished: readonly string[];
  readonly polled: number;
  readonly tokensReturned: readonly string[];
  readonly ended: readonly string[];
}

/**
 * The round that makes good whatever got lost: the inbox's subscriptions, records that were not published, peers'
 * announcements that did not arrive, task tokens that were not returned, promotions past their deadline.
 */
export async function reconcileEnvironment(deps: Reconciling): Promise<Reconciled> {
  const subscribed: string[] = [];
  for (const peer of deps.peers) {
    if ((await deps.inbox.subscribe(peer)) === 'subscribed') subscribed.push(peer);
  }
  const republished: string[] = [];
  const tokensReturned: string[] = [];
  const ended: string[] = [];
  for (const model of deps.models) {
    const cursor = await deps.ledger.get(keys.cursor('published', model));
    if ((await chainHead(deps.ledger, model)).seq > Number(cursor?.['seq'] ?? -1)) {
      await deps.inbox.askToPublish(model);
      republished.push(model);
    }
    for (const peer of deps.peers) await deps.inbox.askToRead(peer, model);
    const promotions = (await deps.ledger.query(keys.promotions(model))).map((item) => unkey(Promotion, item));
    for (const promotion of promotions) {
      const isWaiting = promotion.status === 'awaiting-approval';
      if (isWaiting && (await answerIfDecided(deps, promotion)) === 'returned')
        tokensReturned.push(promotion.promotion);
      const isOpen = isWaiting || promotion.status === 'open';
      if (isOpen && !(Date.parse(promotion.deadline) > deps.clock.now().getTime())) {
        const found = `the deadline was ${promotion.deadline}`;
        await endPromotion(deps, promotion, 'refused', {
          rule: 'promotion-deadline',
          found,
          remedy: 'ask for a new promotion',
        });
        await returnApprovalToken(deps, promotion, refusedBy('promotion-deadline', found));
        ended.push(promotion.promotion);
      }
    }
  }
  for (const kind of JOB_KINDS) {
    for (const item of await deps.ledger.query(keys.tasks(kind))) {
      if (item['answered'] === false && (await returnJobToken(deps, kind, item.sk)) === 'returned')
        tokensReturned.push(item.sk);
    }
  }
  return { subscribed, republished, polled: deps.peers.length * deps.models.length, tokensReturned, ended };
}
