import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetQueueAttributesCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { literal, PARQUET, withDatabase } from '#adapters/duckdb/database.ts';
import { constantModel } from '#adapters/onnx/constant-model.ts';
import { detailsOf } from '#domain/audit/chain.ts';
import { canIsolate } from '#local/sagemaker/container.ts';
import { registerLocalImages } from '#local/sagemaker/images.ts';
import { compileModel } from '#model/compile.ts';
import { partitionsOf, registrationsOf } from '#cli/read.ts';
import { eventually, freshCloud } from '../_helpers/cloud.ts';
import { changed } from '../adapters/onnx/_models.ts';
import { type Listener, listen } from './_alerts.ts';
import { type Journey, journeyIn, MODEL, openJourney } from './_harness.ts';
import { FIRST, recorded, records, retrain, settled } from './_lifecycle.ts';

const HOME = join(import.meta.dirname, '../models', MODEL);
/** Columns of the model's schema. */
const FEATURES = 5;

let journey: Journey;
let pager: Listener;
let folder: string;

beforeAll(async () => {
  journey = await openJourney('deployed');
  pager = await listen(journey, 'dev');
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-planted-'));
});
afterAll(async () => {
  await journey[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => plant(['python', 'training/train.py'], HOME));

test('a marker without a file admits nothing, until the file is there', async () => {
  await journey.land({ from: FIRST.from, until: '2026-01-26' }, ['dev']);
  await put('cards/payments/dt=2026-01-26/_READY', '{}');
  await put('cards/disputes/dt=2026-01-26/_READY', '{}');
  await eventually('admission to have looked', () => isQueueEmpty());
  const days = (await partitionsOf(journey.account('dev').ledger, MODEL, 'events')).map(({ day }) => day);
  expect(days.at(-1)).toBe('2026-01-25');
  await journey.land({ from: FIRST.from, until: FIRST.asOf }, ['dev']);
});

test('events that are no Parquet end the run, which names the day and the fault', async () => {
  const day = 'cards/payments/dt=2026-01-05';
  const before = await versionOf('2026-01-05');
  await put(`${day}/part-000.parquet`, 'not a table');
  await put(`${day}/_READY`, '{}');
  await eventually('the correction to be admitted', async () =>
    (await versionOf('2026-01-05')) > before ? true : undefined,
  );
  const { status, conclusion } = await retrain(journey, FIRST.asOf);
  // The producer corrects what it had written, and the next run finds it so.
  await journey.land({ from: FIRST.from, until: FIRST.asOf }, ['dev']);
  expect(await versionOf('2026-01-05')).toBe(before + 2);
  expect(status).toBe('rejected');
  expect(detailsOf(conclusion, 'CANDIDATES_REJECTED').reasons[0]).toMatch(/2026-01-05.*(Parquet|parquet)/);
});

const Check = z.object({ run: z.string(), judgement: z.object({ status: z.string() }) });

test('a day that breaks an expectation is refused as it arrives, stops the run that needs it, and may be corrected', async () => {
  const refunds = await rewritten('2026-01-20', 'SELECT * REPLACE (-amount AS amount) FROM day');
  const half = await rewritten('2026-01-22', "FROM day WHERE md5(payment_id::VARCHAR) < '8'");
  for (const [day, content] of [
    ['2026-01-20', refunds],
    ['2026-01-22', half],
  ] as const) {
    const before = await versionOf(day);
    await put(`cards/payments/dt=${day}/part-000.parquet`, content);
    await put(`cards/payments/dt=${day}/_READY`, '{}');
    await eventually(`${day} to be admitted`, async () => ((await versionOf(day)) > before ? true : undefined));
  }
  const check = () => journey.run(Check, ['run', 'start', MODEL, '--machine', 'data-quality']);
  const arrived = await check();
  expect(arrived.judgement.status).toBe('FAIL');
  const alert = await pager.hears('DATA_REFUSED', ({ details }) => details['run'] === arrived.run);
  const NEGATIVE =
    /events of 2026-01-20: expect_column_values_to_be_between\(column=amount, .*\): \d+ of \d+ values, such as -\d/;
  const reasons = z.array(z.string()).parse(alert.details['reasons']).join('\n');
  expect(reasons).toMatch(NEGATIVE);
  expect(reasons).toMatch(/events of 2026-01-22: \d+ rows, usual are \d+/);
  const refusal = await journey.refused(['data', 'check', MODEL, '--env', 'dev']);
  expect(refusal).toMatchObject({ rule: 'data-expectations', found: expect.stringMatching(NEGATIVE) });
  // What was found as it arrived is not looked at again, and nothing learns from it.
  const { status, conclusion } = await retrain(journey, FIRST.asOf);
  expect(status).toBe('rejected');
  expect(detailsOf(conclusion, 'CANDIDATES_REJECTED').reasons.join('\n')).toMatch(NEGATIVE);
  await journey.land({ from: FIRST.from, until: FIRST.asOf }, ['dev']);
  expect((await check()).judgement.status).toBe('PASS');
  expect((await check()).judgement.status).toBe('NOT_APPLICABLE');
});

test('a trained model that predicts what is no number is refused, and the run says why', async () => {
  await writeFile(join(folder, 'planted.onnx'), notANumber());
  await plant(['sh', '-c', 'cp planted.onnx "$SM_MODEL_DIR/model.onnx"'], folder);
  await isRejected(/NaN|not a number/);
});

test('a program that fails is a rejected run with its own words', async () => {
  await plant(['sh', '-c', 'echo "the learning rate is negative" > "$SM_OUTPUT_DIR/failure"; exit 1'], folder);
  await isRejected(/AlgorithmError: the learning rate is negative/);
});

test('a program that looks for the held-out days finds neither them nor a way to them', async () => {
  await copyFile(join(import.meta.dirname, '_peek.py'), join(folder, 'peek.py'));
  await plant(['python', 'peek.py', journey.cloud.endpoint, join(journey.cloud.home, 'emulator')], folder);
  const reasons = await isRejected(/AlgorithmError: /);
  expect(reasons).toContain('files beside the training rows: none');
  // Ten days of 500 payments: what came after the training days is not among them.
  expect(reasons).toContain('training rows: 5000;');
  expect(reasons).toContain('credentials: none');
  if (await canIsolate()) expect(reasons).toContain('S3: out of reach');
});

test('nothing of it became a release, and what is good again is released', async () => {
  expect(await registrationsOf(journey.account('dev').ledger, MODEL)).toEqual([]);
  expect(await records(journey, 'dev', 'RUN_FAILED')).toEqual([]);
  const { status } = await retrain(journey, FIRST.asOf);
  expect(status).toBe('offered');
});

test('an environment that is not deployed is named', async () => {
  await using empty = await freshCloud();
  const nowhere = journeyIn(empty);
  expect(await nowhere.refused(['rollback', MODEL, '--env', 'prod', '--reason', 'it is wrong'])).toMatchObject({
    rule: 'environment-deployed',
    found: 'prod is not deployed',
  });
  expect(await nowhere.refused(['login'], 'maya')).toMatchObject({ rule: 'environment-deployed' });
});

test('what exists keeps every invariant', async () => {
  // Staging has no data by which to judge what was offered.
  await recorded(journey, 'staging', 'PROMOTION_REFUSED');
  await recorded(journey, 'prod', 'RELEASE_PROMOTED');
  await settled(journey, ['dev']);
  expect(await journey.fsck()).toEqual([]);
});

/** Runs the retraining, which must end as rejected, for a reason that people are told. */
async function isRejected(reason: RegExp): Promise<string> {
  const { run, status, conclusion } = await retrain(journey, FIRST.asOf);
  expect(`${status}: ${JSON.stringify(conclusion.details)}`).toMatch(/^rejected/);
  const { reasons } = detailsOf(conclusion, 'CANDIDATES_REJECTED');
  expect(reasons.join('\n')).toMatch(reason);
  await pager.hears('CANDIDATES_REJECTED', ({ details }) => details['run'] === run);
  return reasons.join('\n');
}

/** Puts another program in the place of the model's own. */
async function plant(command: readonly string[], home: string): Promise<void> {
  const { image } = (await compileModel(HOME)).training;
  registerLocalImages(journey.cloud.home, { [image]: { command: [...command], folder: home } });
}

/** A model of the right shape that computes nonsense. */
function notANumber(): Uint8Array {
  return changed(
    (model) => {
      const [, rates] = model.graph?.initializer ?? [];
      if (rates !== undefined) rates.floatData = [Number.NaN, Number.NaN];
    },
    constantModel({ baseRate: 0.1, features: FEATURES }),
  );
}

async function put(key: string, body: Uint8Array | string): Promise<void> {
  const { aws, names } = journey.account('dev');
  await aws.s3().send(new PutObjectCommand({ Bucket: names.landingBucket, Key: key, Body: body }));
}

async function versionOf(day: string): Promise<number> {
  const events = await partitionsOf(journey.account('dev').ledger, MODEL, 'events');
  return events.find((partition) => partition.day === day)?.version ?? 0;
}

/** What some SQL makes of the payments of a day, as the producer landed them. */
async function rewritten(day: string, select: string): Promise<Uint8Array> {
  const { aws, names } = journey.account('dev');
  const object = await aws
    .s3()
    .send(new GetObjectCommand({ Bucket: names.landingBucket, Key: `cards/payments/dt=${day}/part-000.parquet` }));
  const [whole, less] = [join(folder, 'whole.parquet'), join(folder, 'less.parquet')];
  await writeFile(whole, (await object.Body?.transformToByteArray()) ?? new Uint8Array());
  await withDatabase('1GB', async (connection) => {
    await connection.run(`CREATE VIEW day AS FROM read_parquet(${literal(whole)})`);
    await connection.run(`COPY (${select}) TO ${literal(less)} (${PARQUET})`);
  });
  return readFile(less);
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
