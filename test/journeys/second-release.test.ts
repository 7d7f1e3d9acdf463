import { ExecutionAlreadyExists } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { keys } from '#domain/ledger/keys.ts';
import { canIsolate } from '#local/sagemaker/container.ts';
import { registerLocalImages } from '#local/sagemaker/images.ts';
import { compileModel } from '#model/compile.ts';
import { readPartitions } from '#read-model/partitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readQuarantined } from '#read-model/quarantines.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { readPromotions } from '#read-model/promotions.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Listener, listen } from './_alerts.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import { type Producer, producerOf } from './_producer.ts';
import {
  arriveInStaging,
  FIRST,
  letIntoProd,
  offeredRelease,
  recorded,
  records,
  type Release,
  SECOND,
  retrain,
  serves,
  settled,
  SLIPPED,
  stateOf,
} from './_lifecycle.ts';

const HOME = join(import.meta.dirname, '../models', MODEL);
/** All of it, until the first day that chooses: what is trained on that must not get anywhere. */
const DAMAGED = { kind: 'shuffled-labels', first: '2026-01-02', last: '2026-01-13' } as const;
/** The days that are kept scored, and the two that were when the first release came. */
const DAYS = 9;

let journey: Journey;
let pager: { readonly dev: Listener; readonly prod: Listener };
let producer: Producer;
let first: Release;
let second: Release;

beforeAll(async () => {
  journey = await openJourney('champion');
  producer = producerOf(journey);
  pager = { dev: await listen(journey, 'dev'), prod: await listen(journey, 'prod') };
});
afterAll(() => journey[Symbol.asyncDispose]());

const prod = () => journey.account('prod').ledger;
const runsOfProd = async () =>
  (await records(journey, 'prod', 'PREDICTIONS_PUBLISHED')).map((record) => ({
    release: record.release,
    ...detailsOf(record, 'PREDICTIONS_PUBLISHED'),
  }));

test('a first release is promoted, and everything is scored by it', async () => {
  first = await offeredRelease(journey);
  await serves(journey, 'prod', first);
  expect(await runsOfProd()).toContainEqual(
    expect.objectContaining({ kind: 'full', partitions: 7, release: first.release }),
  );
});

test('a marker without a file admits nothing, until the file is there', async () => {
  for (const source of ['payments', 'disputes']) await producer.put(`cards/${source}/dt=${FIRST.asOf}/_READY`, '{}');
  await eventually('admission to have looked', () => isQueueEmpty());
  expect(await producer.versionOf(FIRST.asOf)).toBe(0);
});

const Check = z.object({ run: z.string(), judgement: z.object({ status: z.string() }) });

test('days that are no Parquet, break an expectation or are halved are refused as they arrive, and stop the run that needs them', async () => {
  const refunds = await producer.rewritten('2026-01-20', 'SELECT * REPLACE (-amount AS amount) FROM day');
  const half = await producer.rewritten('2026-01-22', "FROM day WHERE md5(payment_id::VARCHAR) < '8'");
  // What cannot be read at all is not even admitted: the version before it stays.
  await producer.writes('2026-01-05', 'not a table');
  const refused = await pager.dev.hears('PARTITION_REFUSED', ({ details }) => details['day'] === '2026-01-05');
  expect(JSON.stringify(refused.details)).toMatch(/Parquet/i);
  expect(await producer.versionOf('2026-01-05')).toBe(1);
  await producer.lands('2026-01-20', refunds);
  await producer.lands('2026-01-22', half);
  const check = () => journey.concluded(Check, ['run', 'start', MODEL, '--machine', 'data-quality']);
  const arrived = await check();
  expect(arrived.judgement.status).toBe('FAIL');
  const alert = await pager.dev.hears('DATA_REFUSED', ({ details }) => details['run'] === arrived.run);
  const NEGATIVE =
    /events of 2026-01-20: expect_column_values_to_be_between\(column=amount, .*\): \d+ of \d+ values, such as -\d/;
  const reasons = z.array(z.string()).parse(alert.details['reasons']).join('\n');
  expect(reasons).toMatch(NEGATIVE);
  expect(reasons).toMatch(/events of 2026-01-22: \d+ rows, usual are \d+/);
  // The producer corrects what it had written, and the next run finds it so.
  await journey.land({ from: '2026-01-05', until: '2026-01-06', damage: SLIPPED }, ['dev']);
  expect(await producer.versionOf('2026-01-05')).toBe(1);
  const refusal = await journey.refused(['data', 'check', MODEL, '--env', 'dev']);
  // First what is not admitted at all: the markers without files.
  expect(refusal).toMatchObject({ rule: 'partition-whole', found: expect.stringContaining(FIRST.asOf) });
  // What was found as it arrived is not looked at again, and nothing trains on it.
  await isRejected(NEGATIVE);
  await journey.land({ from: '2026-01-20', until: '2026-01-23', damage: SLIPPED }, ['dev']);
  expect((await check()).judgement.status).toBe('PASS');
  expect((await check()).judgement.status).toBe('NOT_APPLICABLE');
});

test('a program that looks for the held-out days finds neither them nor a way to them, and fails in its own words', async () => {
  const { cloud } = journey;
  const { image, local } = (await compileModel(HOME)).training;
  const command = ['python', '_peek.py', cloud.endpoint, join(cloud.home, 'emulator')];
  registerLocalImages(cloud.home, { [image]: { command, folder: import.meta.dirname } });
  const reasons = await isRejected(/AlgorithmError: /);
  registerLocalImages(cloud.home, { [image]: { command: local, folder: HOME } });
  expect(reasons).toContain('files beside the training rows: none');
  // Ten days of 500 payments: what came after the training days is not among them.
  expect(reasons).toContain('training rows: 5000;');
  expect(reasons).toContain('credentials: none');
  if (await canIsolate()) expect(reasons).toContain('S3: out of reach');
  // Nothing of it became a release.
  const registered = await records(journey, 'dev', 'RELEASE_REGISTERED');
  expect(new Set(registered.map(({ details }) => details['run'])).size).toBe(1);
});

test('candidates of damaged data are rejected with their numbers', async () => {
  await journey.land({ from: DAMAGED.first, until: '2026-01-14', damage: DAMAGED }, ['dev']);
  const labels = await readPartitions(journey.account('dev').ledger, MODEL, 'labels');
  const versionOf = (day: string) => labels.find((partition) => partition.day === day)?.version;
  expect(['2026-01-04', '2026-01-08', '2026-01-13', '2026-01-14'].map(versionOf)).toEqual([2, 2, 2, 1]);
  await isRejected(/log loss \d\.\d{4} against the champion's \d\.\d{4}: -\d+\.\d\d %/);
});

test('nothing of all that became a fault, or got any further', async () => {
  expect(await records(journey, 'dev', 'RUN_FAILED')).toEqual([]);
  expect(await records(journey, 'dev', 'RELEASE_OFFERED')).toHaveLength(1);
  expect((await readPointer(prod(), MODEL))?.current).toBe(first.release);
  expect(await readPromotions(journey.account('staging').ledger, MODEL)).toHaveLength(2);
});

test('corrections are new versions, and what is trained on them is better and is promoted', async () => {
  await journey.land({ from: DAMAGED.first, until: SECOND }, ['dev']);
  await journey.land({ from: FIRST.asOf, until: SECOND }, ['staging', 'prod']);
  expect(await producer.versionOf(FIRST.asOf)).toBe(1);
  const ledger = journey.account('dev').ledger;
  const labels = await readPartitions(ledger, MODEL, 'labels');
  const versionOf = (day: string) => labels.find((partition) => partition.day === day)?.version;
  expect(['2026-01-04', '2026-01-08', '2026-01-14', '2026-01-28'].map(versionOf)).toEqual([3, 3, 1, 1]);
  // Every version that there was is still known.
  const earlier = await ledger.get(keys.partitionVersion(MODEL, 'labels', '2026-01-04', 1));
  expect(earlier).toMatchObject({ version: 1, day: '2026-01-04' });
  second = await arriveInStaging(journey, SECOND);
  expect(second.version).not.toBe(first.version);
  const promotion = await letIntoProd(journey, second);
  await settled(journey);
  const promoted = (await records(journey, 'prod', 'RELEASE_PROMOTED')).at(-1);
  expect(promoted?.details).toMatchObject({ promotion, replaces: first.release });
  expect((await readPointer(prod(), MODEL))?.lastConfirmed).toMatchObject(first);
});

test('a run scores what has changed: everything after a promotion, one day after a correction, nothing otherwise', async () => {
  expect((await runsOfProd()).findLast(({ release }) => release === second.release)).toMatchObject({
    kind: 'full',
    partitions: DAYS,
  });
  const before = await readPredictions(prod(), MODEL);
  // Labels that arrived on the 27th are known to the features of the 28th, the newest day, and to no other day.
  const corrected = { kind: 'shuffled-labels', first: '2026-01-27', last: '2026-01-27' } as const;
  const known = (await runsOfProd()).length;
  await journey.land({ from: corrected.first, until: SECOND, damage: corrected }, ['prod']);
  await recorded(journey, 'prod', 'PREDICTIONS_PUBLISHED', ({ details }) => details['kind'] === 'partial');
  await settled(journey);
  const after = await readPredictions(prod(), MODEL);
  const changed = after.filter(({ day, features }) => before.find((each) => each.day === day)?.features !== features);
  expect(changed.map(({ day }) => day)).toEqual(['2026-01-28']);
  await journey.run(z.unknown(), ['prediction', 'run', MODEL, '--env', 'prod']);
  await settled(journey);
  const runs = (await runsOfProd()).slice(known);
  expect(runs[0]).toMatchObject({ kind: 'partial', partitions: 1 });
  expect(runs.slice(1).map(({ kind, partitions }) => `${kind} ${partitions}`)).toContain('none 0');
  expect(new Set(runs.slice(1).map(({ kind }) => kind))).toEqual(new Set(['none']));
});

test('a rollback goes to the last confirmed release, repairs the predictions and opens an incident', async () => {
  const Plan = z.object({ rollback: z.string(), from: z.string(), to: z.string() });
  const done = await journey.run(Plan, ['rollback', MODEL, '--env', 'prod', '--reason', 'disputes doubled overnight']);
  expect(done).toMatchObject({ from: second.version, to: first.version });
  await settled(journey);
  expect(await readPointer(prod(), MODEL)).toMatchObject({ current: first.release, version: first.version });
  expect(await readQuarantined(prod(), MODEL)).toEqual([second.release]);
  const predictions = await readPredictions(prod(), MODEL);
  expect(predictions).toHaveLength(DAYS);
  expect(predictions.filter(({ release }) => release !== first.release)).toEqual([]);
  const [incident] = await records(journey, 'prod', 'INCIDENT_OPENED');
  expect(incident?.details).toMatchObject({
    rollback: done.rollback,
    reason: 'disputes doubled overnight',
    affected: DAYS,
  });
  expect((await pager.prod.hears('RELEASE_ROLLED_BACK')).details).toMatchObject({ from: second.release });
  // Dev computes versions against what prod serves, and has followed it there and back.
  const seq = (await readPointer(prod(), MODEL))?.seq;
  const heard = () => journey.account('dev').ledger.get(keys.released(MODEL));
  await eventually('dev to hear of the rollback', async () => ((await heard())?.['seq'] === seq ? true : undefined));
  expect(await heard()).toMatchObject({ release: first.release, version: first.version });
  const followed = (await records(journey, 'dev', 'RELEASED_VERSION_RECORDED')).map(({ release }) => release);
  expect(followed.slice(-3)).toEqual([first.release, second.release, first.release]);
  const Radius = z.object({ now: z.object({ days: z.array(z.string()) }) });
  const radius = await journey.run(Radius, [
    'prediction',
    'blast-radius',
    MODEL,
    '--env',
    'prod',
    '--release',
    second.release,
  ]);
  expect(radius.now.days).toEqual([]);
  await rollBackAgain(done.rollback);
});

/** Runs the retraining, which must end as rejected, for a reason that people are told. */
async function isRejected(reason: RegExp): Promise<string> {
  const { run, status, conclusion } = await retrain(journey, FIRST.asOf);
  expect(`${status}: ${JSON.stringify(conclusion.details)}`).toMatch(/^rejected/);
  const { reasons } = detailsOf(conclusion, 'CANDIDATES_REJECTED');
  expect(reasons.join('\n')).toMatch(reason);
  const alert = await pager.dev.hears('CANDIDATES_REJECTED', ({ details }) => details['run'] === run);
  expect(alert.details).toMatchObject({ run, asOf: FIRST.asOf, reasons });
  return reasons.join('\n');
}

/** Whether admission has looked at everything that has arrived. */
async function isQueueEmpty(): Promise<true | undefined> {
  const { aws, names } = journey.account('dev');
  const { QueueUrl } = await aws.sqs().send(new GetQueueUrlCommand({ QueueName: names.name('admission') }));
  const { Attributes = {} } = await aws.sqs().send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  return Object.values(Attributes).every((count) => count === '0') ? true : undefined;
}

/** The same rollback once more: by its own execution, and by another one that an alarm might start. */
async function rollBackAgain(rollback: string): Promise<void> {
  const before = await stateOf(journey);
  const input = {
    model: MODEL,
    reason: 'again',
    actor: 'person:someone',
    rollback,
    from: second.release,
    epoch: 3,
    to: null,
  };
  await expect(journey.start('prod', 'rollback', rollback, input)).rejects.toThrow(ExecutionAlreadyExists);
  const again = await journey.ended('prod', await journey.start('prod', 'rollback', 'an-alarm', input));
  expect(again.status).toBe('SUCCEEDED');
  await settled(journey);
  expect(await stateOf(journey)).toEqual(before);
}

test('what was rolled back never comes back', async () => {
  const release = `${MODEL}@${second.version}`;
  expect(await journey.refused(['promote', release, '--to', 'prod'], 'maya')).toMatchObject({
    rule: 'release-quarantined',
  });
});

test('what exists keeps every invariant', async () => {
  await settled(journey);
  expect(await journey.fsck()).toEqual([]);
});
