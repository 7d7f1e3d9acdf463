import type { Environment, Inbox } from '#ports/inbox.ts';
import { GatehouseError } from '#domain/error.ts';
import { textOf } from '#domain/ledger/item.ts';
import { isOpen, type Promotion } from '#domain/promotion/promotion.ts';
import { refusal } from '#domain/refusal/refusal.ts';
import { readChainHead } from '#read-model/chain.ts';
import { findPublished } from '#read-model/cursors.ts';
import { findPromotion, listPromotions } from '#read-model/promotions.ts';
import { findRound } from '#read-model/schedules.ts';
import { readTasks } from '#read-model/tasks.ts';
import { type Recording } from '#use-cases/audit/record-change.ts';
import { isTold } from '#use-cases/announcements/alert-people.ts';
import { recordFaults } from '#use-cases/audit/record-faults.ts';
import { stopStrayCanaries } from './stop-stray-canary.ts';
import { each, type Fault, type Named, throwFaults } from '#use-cases/each.ts';
import { returnApprovalToken } from '#use-cases/promotion/approval-token.ts';
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
  /** Promotions that had ended and left traffic divided. */
  readonly canariesStopped: readonly string[];
}

/**
 * The round that makes good whatever got lost: the inbox's subscriptions, records that were not published, peers'
 * announcements that did not arrive, task tokens that were not returned, promotions past their deadline or whose execution
 * is over. One item's fault never stops the others. @throws GatehouseError `ITEMS_FAILED` at the end of the round
 */
export async function reconcileEnvironment(deps: Reconciling): Promise<Reconciled> {
  const { peers, models } = deps;
  const faults: Fault[] = [];
  const unpublished: Fault[] = [];
  const done: Done = {
    subscribed: [],
    republished: [],
    polled: 0,
    tokensReturned: [],
    ended: [],
    canariesStopped: [],
  };
  // An environment's own affairs are told by the chain of one of its models.
  const own = (item: string): Named => ({ item, model: models[0] });
  await each(
    faults,
    peers,
    (peer) => own(`subscription to ${peer}`),
    async (peer) => {
      if ((await deps.inbox.subscribe(peer)) === 'subscribed') done.subscribed.push(peer);
    },
  );
  await each(
    faults,
    models,
    (model) => ({ item: `publication of ${model}`, model }),
    async (model) => {
      const head = (await readChainHead(deps.ledger, model)).seq;
      const seq = (await findPublished(deps.ledger, model)) ?? -1;
      if (head < 0 || (seq >= head && (await isTold(deps.ledger, model, head)))) return;
      await deps.inbox.askToPublish(model);
      done.republished.push(model);
      // The publisher may just be at it. If the same record is missing in a later round, it is not.
      if (seq < head) unpublished.push(notPublished(model, seq));
    },
  );
  await each(
    faults,
    models.flatMap((model) => peers.map((peer) => ({ model, peer }))),
    ({ model, peer }) => ({ item: `reading of ${model} from ${peer}`, model }),
    async ({ model, peer }) => {
      await deps.inbox.askToRead(peer, model);
      done.polled += 1;
    },
  );
  const nameOf = (model: string): string => `promotions of ${model}`;
  await each(
    faults,
    models,
    (model) => ({ item: nameOf(model), model }),
    async (model) => {
      await each(
        faults,
        await listPromotions(deps.ledger, model),
        ({ promotion }) => ({ item: `${nameOf(model)}: ${promotion}`, model }),
        ({ read }) => reconcilePromotion(deps, read(), done),
      );
    },
  );
  await each(
    faults,
    models,
    (model) => ({ item: `traffic of ${model}`, model }),
    async (model) => {
      done.canariesStopped.push(...(await stopStrayCanaries(deps, model)));
    },
  );
  await each(
    faults,
    JOB_KINDS,
    (kind) => own(`${kind} jobs`),
    async (kind) => {
      const items = await readTasks(deps.ledger, kind);
      await each(
        faults,
        items.filter((item) => item['answered'] === false),
        (item) => ({ item: `${kind} jobs: ${item.sk}`, model: textOf(item, 'model') }),
        async ({ sk }) => {
          if ((await returnJobToken(deps, kind, sk)) === 'returned') done.tokensReturned.push(sk);
        },
      );
    },
  );
  const unsupervised: Fault[] = [];
  await each(unsupervised, ['supervisor'], own, () => mustBeSupervised(deps));
  const found = [...faults, ...unpublished, ...unsupervised.map((fault) => ({ ...fault, lastsMs: SILENT_MS }))];
  await each(faults, ['faults'], own, () => recordFaults(deps, 'reconciler', found));
  throwFaults(faults, { ...done });
  return done;
}

/** How long the supervisor may be silent: four of its rounds. A new environment has as long until its first. */
const SILENT_MS = 20 * 60_000;

/** The supervisor looks after everything else; this looks after it, because an alarm on data that never came stays quiet. */
async function mustBeSupervised({ ledger, clock, environment }: Reconciling): Promise<void> {
  const round = await findRound(ledger, environment);
  if (round !== undefined && clock.now().getTime() - Date.parse(round.at) <= SILENT_MS) return;
  const since = round === undefined ? 'never ran' : `ran last at ${round.at}`;
  throw new GatehouseError('UNSUPERVISED', `the supervisor of ${environment} ${since}`, { since });
}

type Done = { -readonly [K in keyof Reconciled]: Reconciled[K] extends readonly string[] ? string[] : Reconciled[K] };

/** Each record has a fault of its own: as long as the publisher moves on, none of them lasts. */
function notPublished(model: string, seq: number): Fault {
  const error = new GatehouseError('UNPUBLISHED', `records of ${model} after ${seq} are not published`, { seq });
  return { item: `publication of ${model}`, model, error, code: `${error.code}_AFTER_${seq}` };
}

async function reconcilePromotion(deps: Reconciling, promotion: Promotion, done: Done): Promise<void> {
  const isWaiting = promotion.status === 'awaiting-approval';
  if (!isOpen(promotion.status)) return;
  if (Date.parse(promotion.deadline) > deps.clock.now().getTime()) {
    // Its last states may have ended it before its execution was over: what is read after that tells.
    const end = await deps.machines.endOf('promotion', promotion.execution);
    if (end !== undefined) {
      const now = await findPromotion(deps.ledger, promotion.model, promotion.promotion);
      if (now?.status !== promotion.status || now.execution !== promotion.execution) return;
      await endPromotion(deps, promotion, {
        status: 'failed',
        state: 'promotion-execution',
        error: `its execution ${promotion.execution} is over: ${end}`,
      });
      done.ended.push(promotion.promotion);
      return;
    }
    if (isWaiting && (await answerIfDecided(deps, promotion)) === 'returned')
      done.tokensReturned.push(promotion.promotion);
    return;
  }
  // Past its deadline it ends whatever it rests on, also where that cannot be read.
  const found = `the deadline was ${promotion.deadline}`;
  const answer = { status: 'refused', refusal: refusal('promotion-deadline', found) } as const;
  await endPromotion(deps, promotion, answer);
  await returnApprovalToken(deps, promotion, answer);
  done.ended.push(promotion.promotion);
}
