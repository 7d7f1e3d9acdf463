// How the ledger grows: many models, many promotions at once, long chains, many partitions, each beside its own tenth.
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { writeDocument } from '#ports/documents.ts';
import { ledgerState } from '#cli/commands/fsck/collect.ts';
import { appendWrites, EMPTY_CHAIN, followChain, nextRecord } from '#domain/audit/chain.ts';
import { checkInvariants } from '#domain/audit/invariants.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { addDays } from '#domain/data/partition.ts';
import { type Item, MAX_ACTIONS, type Write } from '#domain/ledger/item.ts';
import { BatchPlan } from '#domain/prediction/manifest.ts';
import type { Ledger } from '#ports/ledger.ts';
import { readRecords } from '#read-model/chain.ts';
import { readPointer } from '#read-model/pointer.ts';
import { bytes, MODEL } from '#test/use-cases/_environments.ts';
import { changeFence } from '#use-cases/inference/fence.ts';
import { publishPredictions } from '#use-cases/inference/publish-predictions.ts';
import { commitPromotion } from '#use-cases/promotion/commit-promotion.ts';
import { benchCloud, type BenchStores, MINISTACK } from './_cloud.ts';
import { approvedPromotion, NOW } from './_promotions.ts';
import { gatehouseLife } from './_release-record.ts';
import { figure, milliseconds, quantile, report } from './_report.ts';

/** What of everything is the anchor. */
const TENTH = 10;
const MODELS = 1000;
const AT_ONCE = 200;
const RECORDS = 100_000;
const PARTITIONS = 10_000;
const SOCKETS = 200;
const said = (count: number): string => count.toLocaleString('en');

await using cloud = await benchCloud(SOCKETS);
/** Writes many items, as many at a time as a transaction takes. */
async function fill(ledger: Ledger, items: readonly Item[], name: string): Promise<void> {
  for (let from = 0; from < items.length; from += MAX_ACTIONS) {
    const writes = items.slice(from, from + MAX_ACTIONS).map((item): Write => ({ kind: 'put', item }));
    await ledger.transact(writes, `${name} ${from}`);
  }
}

/** Commits every model's promotion, so many at once; each commit's time, each round's time, and what was done in vain. */
async function promotions({ ledger }: BenchStores, models: number, atOnce: number) {
  const names = Array.from({ length: models }, (_, index) => `model-${String(index).padStart(4, '0')}`);
  const made = names.map((model) => ({ model, ...approvedPromotion(model) }));
  await fill(
    ledger,
    made.flatMap(({ items }) => items),
    'promotions',
  );
  let transactions = 0;
  const counted: Ledger = {
    ...ledger,
    transact(writes, token) {
      transactions += 1;
      return ledger.transact(writes, token);
    },
  };
  const commit = commitPromotion({ ledger: counted, environment: 'prod', clock: { now: () => NOW } });
  const commits: number[] = [];
  const rounds: number[] = [];
  for (let from = 0; from < made.length; from += atOnce) {
    const round = made.slice(from, from + atOnce).map(async ({ model, promotion }) => {
      const took = await milliseconds(async () => {
        const answer = await commit({ model, promotion, latency: null });
        if (!('status' in answer) || answer.status !== 'committed') throw new Error(JSON.stringify(answer));
      });
      commits.push(took);
    });
    rounds.push(await milliseconds(() => Promise.all(round)));
  }
  return { commits, rounds, inVain: transactions - made.length };
}

/** Writes a chain of so many records, and says how long its verification takes: read, parse, hash, follow. */
async function verification({ ledger }: BenchStores, length: number): Promise<number> {
  let head = EMPTY_CHAIN;
  let writes: Write[] = [];
  for (let seq = 0; seq < length; seq += 1) {
    const next = nextRecord(head, 'prod', MODEL, `operation-${seq}`, NOW, {
      code: 'APPROVAL_RECORDED',
      actor: 'person:lea',
      release: digestOf('release'),
      details: {
        promotion: `promotion-${seq}`,
        subject: 'person:lea',
        role: 'ml-lead',
        decision: 'approve',
        statement: digestOf(`statement ${seq}`),
      },
    });
    // The head moves with the last record of each transaction.
    const [moved, appended] = appendWrites(head, next);
    if (moved === undefined || appended === undefined) throw new Error('a record is appended by two writes');
    writes.push(appended);
    head = { seq, hash: next.hash };
    if (writes.length === MAX_ACTIONS - 1 || seq === length - 1) {
      const last = moved.kind === 'put' ? { kind: 'put' as const, item: moved.item } : moved;
      await ledger.transact([...writes, last], `chain ${seq}`);
      writes = [];
    }
  }
  return milliseconds(async () => {
    const followed = followChain(EMPTY_CHAIN, await readRecords(ledger, MODEL, 0));
    if (!('head' in followed) || followed.head.seq !== length - 1) throw new Error(JSON.stringify(followed));
  });
}

/** Publishes so many prediction partitions of a served release, and says how long fsck takes over all of it. */
async function fsck(stores: BenchStores, partitions: number): Promise<number> {
  const { ledger, lake, documents, buckets } = stores;
  await gatehouseLife(stores);
  const pointer = await readPointer(ledger, MODEL);
  if (pointer === undefined) throw new Error('nothing is served');
  const { fence } = await changeFence(ledger, MODEL, (before) => ({ ...before, fence: before.fence + 1 }));
  const days = Array.from({ length: partitions }, (_, index) => addDays('1990-01-01', index));
  const planned: BatchPlan['partitions'] = days.map((day) => {
    const features = digestOf(`features of ${day}`);
    return { day, features, predictions: features, reasons: ['new'], rows: null };
  });
  const store = async ({ day, predictions }: BatchPlan['partitions'][number]): Promise<void> => {
    const content = bytes(`predictions of ${day}`.repeat(50));
    const Key = `${MODEL}/predictions/${predictions.slice('sha256:'.length)}.parquet`;
    const Metadata = { sha256: digestOf(content), rows: '50' };
    await cloud.s3.send(new PutObjectCommand({ Bucket: buckets.lake, Key, Body: content, Metadata }));
  };
  for (let from = 0; from < planned.length; from += 32) await Promise.all(planned.slice(from, from + 32).map(store));
  const plan: BatchPlan = {
    formatVersion: 1,
    model: MODEL,
    run: 'run',
    kind: 'full',
    release: pointer.current,
    scorer: digestOf('scorer'),
    schema: digestOf('schema'),
    epoch: pointer.epoch,
    fence,
    requested: 0,
    partitions: planned,
    waiting: [],
  };
  const digest = await writeDocument(documents, BatchPlan, plan);
  await publishPredictions({ ...stores, environment: 'prod', lake })({ model: MODEL, plan: digest });
  const looked = {
    environment: 'prod' as const,
    ledger,
    s3: cloud.s3,
    names: { artifactBucket: buckets.artifacts, publishedBucket: buckets.published },
  };
  return milliseconds(async () => {
    const state = await ledgerState(looked, MODEL, undefined, new Date());
    if (state.predictions.length !== partitions) throw new Error(`${state.predictions.length} partitions`);
    const found = checkInvariants(state).flatMap((result) => result.found);
    if (found.length > 0) throw new Error(found.slice(0, 3).join('\n'));
  });
}

async function measure(name: string, share: number) {
  console.error(`bench: ${name}`);
  return {
    promotions: await promotions(await cloud.stores(`${name}-promotions`), MODELS / share, AT_ONCE / share),
    verification: await verification(await cloud.stores(`${name}-chain`), RECORDS / share),
    fsck: await fsck(await cloud.stores(`${name}-fsck`), PARTITIONS / share),
  };
}

const tenth = await measure('tenth', TENTH);
const whole = await measure('whole', 1);
const anchor = 'a tenth of it';
// Linear is ten times; a fifth more is what a cache that no longer fits, or one more page, may cost.
const linear = { ratioAtMost: 12 };
const times = (of: (each: typeof tenth) => number): readonly [number, readonly [string, number]] => [
  of(whole),
  [anchor, of(tenth)],
];
report(
  'ledger',
  {
    title: 'How the ledger grows',
    about: `Each figure beside the same with a tenth of everything: linear growth is a ratio of 10. ${said(MODELS)} models in one ledger, of which ${AT_ONCE} are promoted at once, five rounds: each commit checks four pieces of evidence, uses two approvals and appends to its model's chain. A chain of ${said(RECORDS)} records is read, parsed, hashed and followed. fsck reads and hashes ${said(PARTITIONS)} prediction partitions and holds every invariant.`,
    versions: { ministack: MINISTACK },
  },
  [
    figure(
      `${AT_ONCE} promotions at once, all of them`,
      'ms',
      ...times(({ promotions }) => quantile(promotions.rounds, 0.5)),
      linear,
    ),
    figure(
      `${AT_ONCE} promotions at once, one commit, p50`,
      'ms',
      ...times(({ promotions }) => quantile(promotions.commits, 0.5)),
      linear,
    ),
    figure(
      `${AT_ONCE} promotions at once, one commit, p95`,
      'ms',
      ...times(({ promotions }) => quantile(promotions.commits, 0.95)),
      linear,
    ),
    figure(
      `transactions in vain among ${said(MODELS)} commits`,
      'count',
      whole.promotions.inVain,
      ['none: each model has its own chain', null],
      { oursAtMost: 0 },
    ),
    figure(`verification of a chain of ${said(RECORDS)} records`, 'ms', ...times((each) => each.verification), linear),
    figure(`fsck of ${said(PARTITIONS)} prediction partitions`, 'ms', ...times((each) => each.fsck), linear),
  ],
);
