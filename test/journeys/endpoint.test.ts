import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { call } from '#adapters/http-call.ts';
import { literal, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { s3RequestStore } from '#adapters/aws/request-store.ts';
import { AnsweredDay } from '#domain/prediction/answers.ts';
import { readPartitions } from '#read-model/partitions.ts';
import { findPrediction } from '#read-model/predictions.ts';
import { replay } from '#test/models/card-fraud/replay.ts';
import { addDays } from '#domain/data/partition.ts';
import { eventually } from '../_helpers/cloud.ts';
import { Answer, asking, type Asking, EVENT, type Payment } from './_endpoint.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import { FIRST, letIntoProd, offeredRelease, type Release, servedRelease, serves } from './_lifecycle.ts';

const ENV = ['--env', 'prod'] as const;
let journey: Journey;
let baseline: Release;
let release: Release;
let url: URL;
let consumer: Asking;
/** Asks the endpoint for predictions, by a signed call as any consumer makes it. */
const asked = (events?: readonly Payment[]) => consumer.ask(events);
beforeAll(async () => {
  journey = await openJourney('candidate');
  baseline = await servedRelease(journey, 'prod');
  release = await offeredRelease(journey);
});
afterAll(() => journey[Symbol.asyncDispose]());

/** Asks while something goes on, and once more: the answers, of which none may be an error. */
async function askingWhile(work: Promise<unknown>): Promise<readonly string[]> {
  const digests: string[] = [];
  const going = new Set([work]);
  const over = work.finally(() => going.clear());
  // An answer that is an error says more than what else it brings about.
  over.catch(() => undefined);
  while (going.size > 0) {
    const { status, digest } = await asked();
    expect(status, digest).toBe(200);
    digests.push(digest);
  }
  await over;
  return digests;
}

/** Waits until the endpoint answers from a release; a reading of the pointer is five seconds old at most. */
const answersFrom = (wanted: Release) =>
  eventually(`answers of ${wanted.version}`, async () => {
    const answer = await asked();
    expect(answer.status, answer.digest).toBe(200);
    return answer.digest === wanted.release ? answer : undefined;
  });

test('one command shows where the endpoint is, and one gets an answer from the release that the pointer names', async () => {
  consumer = await asking(journey, 'prod');
  ({ url } = consumer);
  expect(consumer.inputs.toSorted()).toEqual(Object.keys(EVENT).toSorted());
  const file = join(journey.cloud.home, 'event.json');
  await writeFile(file, JSON.stringify(EVENT));
  const answer = await journey.run(Answer, ['endpoint', 'ask', MODEL, ...ENV, '--event', file]);
  expect(answer).toMatchObject({
    model_version: baseline.version,
    parameters: { digest: baseline.release, aggregates_until: '2026-01-26' },
  });
});

test('the smoke test sends the golden request that the served release holds', async () => {
  const Smoke = z.object({ checks: z.array(z.object({ check: z.string(), found: z.string().nullish() })) });
  const { checks } = await journey.run(Smoke, ['smoke-test', ...ENV]);
  expect(checks).toContainEqual(expect.objectContaining({ check: `endpoint of ${MODEL}` }));
});

test('a call that is not signed, and what the model does not take, is refused', async () => {
  expect(
    (await call(new URL(`/v2/models/${MODEL}`, url), { method: 'GET', headers: {} })).status,
  ).toBeGreaterThanOrEqual(400);
  const file = join(journey.cloud.home, 'bad.json');
  const refused = async (event: object) => {
    await writeFile(file, JSON.stringify(event));
    return journey.refused(['endpoint', 'ask', MODEL, ...ENV, '--event', file]);
  };
  expect((await refused({ ...EVENT, paid_at: null })).found).toMatch(/^422: input-nulls: input paid_at/);
  expect((await refused({ ...EVENT, amount: 'much' })).found).toMatch(/^422: input-values: input amount/);
  expect((await refused({ ...EVENT, paid_at: '2019-05-05T10:00:00Z' })).found).toMatch(/event-day-served/);
  expect(await journey.refused(['endpoint', 'show', MODEL, '--env', 'dev']).catch(() => 'usage')).toBe('usage');
});

test('no request fails while the pointer is switched and rolled back, and each answer is of one of the two releases', async () => {
  const promoted = await askingWhile(letIntoProd(journey, release));
  const { probability } = await answersFrom(release);
  expect(probability).toBeGreaterThan(0);
  const back = await askingWhile(
    journey
      .run(z.unknown(), ['rollback', MODEL, ...ENV, '--reason', 'a drill', '--yes'])
      .then(() => serves(journey, 'prod', baseline)),
  );
  await answersFrom(baseline);
  const all = [...promoted, ...back];
  expect(all.length).toBeGreaterThan(20);
  expect(new Set(all)).toEqual(new Set([baseline.release, release.release]));
});

/** The first payments of a day, as a producer will land them. */
async function payments(day: string, most: number): Promise<readonly Payment[]> {
  const landed = await replay.prepare({
    folder: join(journey.cloud.home, 'payments'),
    sample: 1,
  });
  const { file = '' } = landed.find((each) => each.kind === 'events' && each.day === day) ?? {};
  const rows = await withDatabase('512MB', (connection) =>
    rowsOf(
      connection,
      `SELECT payment_id, card, strftime(paid_at, '%Y-%m-%dT%H:%M:%S.%fZ') AS paid_at, amount, abroad
       FROM read_parquet(${literal(file)}) ORDER BY payment_id LIMIT ${String(most)}`,
    ),
  );
  return rows as unknown as readonly Payment[];
}

const Replayed = z.object({
  answers: z.number(),
  computedAgain: z.number(),
  different: z.number(),
  batch: z.object({ compared: z.number(), same: z.number() }).nullable(),
  causes: z.record(z.string(), z.number()),
});
const replayOf = (...rest: readonly string[]) =>
  journey.run(Replayed, ['endpoint', 'replay', MODEL, ...ENV, '--day', FIRST.asOf, ...rest]);

test('each answer of a day is computed again from its receipt, and is the one that the batch makes of the day later', async () => {
  const events = await payments(FIRST.asOf, 225);
  for (let first = 0; first < events.length; first += 25) {
    const { status, digest } = await asked(events.slice(first, first + 25));
    expect(status, digest).toBe(200);
    expect(digest).toBe(baseline.release);
  }
  const unasked = ['endpoint', 'replay', MODEL, ...ENV, '--day', '2026-01-02'];
  expect(await journey.refused(unasked)).toMatchObject({ rule: 'requests-logged' });
  // A client that asks again gets an answer again, and it counts once.
  await asked(events.slice(0, 3));
  const answers = events.length + 1;
  const logged = await eventually('the request log to come to the lake', async () => {
    const found = await replayOf().catch(() => undefined);
    return found?.answers === answers ? found : undefined;
  });
  expect(logged).toMatchObject({ computedAgain: answers, different: 0, batch: null, causes: {} });
  await journey.land({ from: FIRST.asOf, until: addDays(FIRST.asOf, 4) }, ['prod']);
  const { ledger } = journey.account('prod');
  await eventually('the batch of the day', () => findPrediction(ledger, MODEL, FIRST.asOf), 120);
  expect(await replayOf()).toMatchObject({
    computedAgain: answers,
    different: 0,
    batch: { compared: events.length, same: events.length },
    causes: {},
  });
});

test('answers are measured by the labels that have arrived since, beside the batch', async () => {
  const asOf = addDays(FIRST.asOf, 4);
  await eventually('labels of the days after it', async () => {
    const labels = await readPartitions(journey.account('prod').ledger, MODEL, 'labels');
    return labels.some(({ day }) => day === addDays(asOf, -1)) ? true : undefined;
  });
  const drift = await journey.start('prod', 'drift', 'drift-of-answers', { model: MODEL, asOf: `${asOf}T00:05:00Z` });
  expect(await journey.ended('prod', drift)).toMatchObject({ status: 'SUCCEEDED' });
  const Status = z.object({
    models: z.array(
      z.object({
        environments: z.array(
          z.object({ environment: z.string(), answers: z.object({ days: z.array(AnsweredDay) }).optional() }),
        ),
      }),
    ),
  });
  const { models } = await journey.run(Status, ['status', MODEL]);
  const prod = models[0]?.environments.find(({ environment }) => environment === 'prod');
  const day = prod?.answers?.days.find(({ release }) => release === baseline.release);
  // All labels of the day have arrived, and each answer is that of the batch.
  expect(day).toMatchObject({
    day: FIRST.asOf,
    arm: 'champion',
    answers: 226,
    labelled: 225,
    paired: 225,
    different: 0,
  });
  expect(day?.pairedLoss?.answers).toBe(day?.pairedLoss?.batch);
  expect(day?.loss).toBeGreaterThan(0);
});

test('an answer that somebody has changed in the log is found', async () => {
  const { aws, names } = journey.account('prod');
  const log = s3RequestStore(aws.s3(), names.lakeBucket);
  const { requests } = await log.read(MODEL, FIRST.asOf);
  const [request] = requests.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1)).slice(-1);
  const [event] = request?.events ?? [];
  if (request === undefined || event === undefined) throw new Error('nothing was logged');
  const planted = { ...event, probability: event.probability / 2 };
  await log.add([
    {
      request: { ...request, request: 'planted', startedAt: '2026-01-01T00:00:00.000Z', events: [planted] },
      raw: null,
    },
  ]);
  expect(await journey.refused(['endpoint', 'replay', MODEL, ...ENV, '--day', FIRST.asOf])).toMatchObject({
    rule: 'answers-reproducible',
    found: expect.stringContaining(`event ${event.id} was answered ${planted.probability}`),
  });
});

test('what exists keeps every invariant', async () => {
  expect(await journey.fsck()).toEqual([]);
});
