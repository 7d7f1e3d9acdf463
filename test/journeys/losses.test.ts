import type { Environment } from '#domain/environment/environment.ts';
import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { DisableRuleCommand, EnableRuleCommand } from '@aws-sdk/client-eventbridge';
import { DescribeTrainingJobCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { keys } from '#domain/ledger/keys.ts';

import { readPointer } from '#read-model/pointer.ts';
import { readQuarantined } from '#read-model/quarantines.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { readPromotions } from '#read-model/promotions.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import { deafen, hears, silence } from './_hearing.ts';
import {
  approve,
  FIRST,
  offeredRelease,
  recorded,
  records,
  type Release,
  serves,
  settled,
  SLIPPED,
} from './_lifecycle.ts';

const REASON = 'staging hears nothing, and production slips';

const Started = z.object({ run: z.string(), arn: z.string() });

let journey: Journey;
let first: Release;
let second: Release;

beforeAll(async () => {
  journey = await openJourney('champion');
  first = await offeredRelease(journey);
});
afterAll(() => journey[Symbol.asyncDispose]());

const prod = () => journey.account('prod').ledger;
const promote = (...args: readonly string[]): readonly string[] => ['promote', `${MODEL}@${second.version}`, ...args];

test('a training job whose end nobody heard of is looked up by the reconciler, and the run goes on', async () => {
  const { aws, names, ledger } = journey.account('dev');
  const rule = { Name: names.name('training-job-changed') };
  await aws.events().send(new DisableRuleCommand(rule));
  await journey.land({ from: SLIPPED.first, until: FIRST.asOf }, ['dev']);
  await deafen(journey, 'staging', 'dev');
  await silence(journey, 'dev');
  const { run, arn } = await journey.run(Started, ['run', 'start', MODEL, '--as-of', FIRST.asOf, '--no-wait']);
  const job = await eventually('the training job', async () => {
    const jobs = await ledger.query(keys.tasks('training'));
    return jobs.find(({ answered }) => answered === false)?.sk;
  });
  await eventually('the end of the training job', async () => {
    const described = aws.sagemaker().send(new DescribeTrainingJobCommand({ TrainingJobName: job }));
    const { TrainingJobStatus: status } = await described.catch(() => ({ TrainingJobStatus: undefined }));
    return status === 'Completed' ? status : undefined;
  });
  expect((await aws.sfn().send(new DescribeExecutionCommand({ executionArn: arn }))).status).toBe('RUNNING');
  expect((await ledger.get(keys.task('training', job)))?.['answered']).toBe(false);
  await journey.invoke('dev', 'reconciler');
  expect((await journey.ended('dev', arn)).status).toBe('SUCCEEDED');
  await aws.events().send(new EnableRuleCommand(rule));
  const offer = await recorded(journey, 'dev', 'RELEASE_OFFERED', ({ details }) => details['run'] === run);
  second = { release: String(offer.release), version: detailsOf(offer, 'RELEASE_OFFERED').version };
});

test('records that the stream did not carry are published by the reconciler', async () => {
  const { ledger } = journey.account('dev');
  const head = Number((await ledger.get(keys.chainHead(MODEL)))?.['seq']);
  expect(Number((await ledger.get(keys.cursor('published', MODEL)))?.['seq'] ?? -1)).toBeLessThan(head);
  await journey.invoke('dev', 'reconciler');
  await published('dev');
  await silence(journey, 'dev', false);
});

test('what staging has not heard of comes to prod as a hotfix only, and the request gets lost on its way to control', async () => {
  expect(await hears(journey, 'staging', 'dev')).toBe(false);
  await recorded(journey, 'prod', 'UPSTREAM_RELEASED', ({ release }) => release === second.release);
  expect(await journey.refused(promote('--to', 'prod'), 'maya')).toMatchObject({ rule: 'released-upstream' });
  await deafen(journey, 'control', 'prod');
  await journey.run(z.unknown(), promote('--to', 'prod', '--hotfix', '--reason', REASON, '--no-wait'));
  const asked = await recorded(journey, 'prod', 'APPROVAL_REQUESTED', ({ release }) => release === second.release);
  const { promotion } = detailsOf(asked, 'APPROVAL_REQUESTED');
  expect(await journey.refused(['approve', promotion], 'lena')).toMatchObject({ rule: 'approval-requested' });
  await journey.invoke('control', 'reconciler');
  expect(await hears(journey, 'control', 'prod')).toBe(true);
  expect(await requested(promotion)).toMatchObject({ transition: 'hotfix', hotfix: { reason: REASON } });
});

test('two rollbacks at once are one, and a promotion that was open meanwhile is refused', async () => {
  const { ledger } = journey.account('prod');
  const [open] = (await readPromotions(ledger, MODEL)).filter(({ status }) => status === 'awaiting-approval');
  const epoch = (await readPointer(ledger, MODEL))?.epoch;
  const input = {
    model: MODEL,
    reason: 'two pagers went off',
    actor: 'person:someone',
    from: first.release,
    epoch,
    to: null,
  };
  const started = await Promise.all(
    ['left', 'right'].map((rollback) => journey.start('prod', 'rollback', rollback, { ...input, rollback })),
  );
  for (const arn of started) expect((await journey.ended('prod', arn)).status).toBe('SUCCEEDED');
  expect(await records(journey, 'prod', 'RELEASE_ROLLED_BACK')).toHaveLength(1);
  const [refused, ...others] = await records(journey, 'prod', 'ROLLBACK_REFUSED');
  expect(others).toEqual([]);
  expect(refused?.details['rule']).toBe('rollback-epoch');
  expect(await readQuarantined(ledger, MODEL)).toEqual([first.release]);

  // Nobody else need decide on what was compared with a champion that is gone.
  await approve(journey, String(open?.promotion), 'lena');
  const isIt = ({ details }: { details: Readonly<Record<string, unknown>> }) =>
    details['promotion'] === open?.promotion;
  const ended = await recorded(journey, 'prod', 'PROMOTION_REFUSED', isIt);
  expect(ended.details['rule']).toBe('champion-unchanged');
  await settled(journey, ['prod']);
  const pointer = await readPointer(ledger, MODEL);
  expect(pointer?.version).toBe('0.1.0');
  const predictions = await readPredictions(ledger, MODEL);
  expect(new Set(predictions.map(({ release }) => release))).toEqual(new Set([pointer?.current]));
});

test('nothing is behind the first release: another rollback is refused and says so', async () => {
  const refusal = await journey.refused(['rollback', MODEL, '--env', 'prod', '--reason', 'it looks wrong']);
  expect(refusal).toMatchObject({ rule: 'rollback-target', found: expect.stringContaining('nothing to go back to') });
  // The machine decides for itself, whatever the command line looked at.
  const { current: from, epoch } = (await readPointer(prod(), MODEL)) ?? {};
  const input = {
    model: MODEL,
    reason: 'it looks wrong',
    actor: 'person:someone',
    rollback: 'too-far',
    from,
    epoch,
    to: null,
  };
  const ended = await journey.ended('prod', await journey.start('prod', 'rollback', 'too-far', input));
  expect(ended.status).toBe('SUCCEEDED');
  const refused = (await records(journey, 'prod', 'ROLLBACK_REFUSED')).at(-1);
  expect(refused?.details).toMatchObject({ rollback: 'too-far', rule: 'rollback-target' });
});

test('decisions that prod missed promote the hotfix when its reconciler runs: one more approval, and a pending propagation', async () => {
  const baseline = await readPointer(prod(), MODEL);
  const Asked = z.object({ promotion: z.string(), status: z.literal('awaiting-approval') });
  const ask = promote('--to', 'prod', '--hotfix', '--reason', REASON);
  const { promotion } = await journey.run(Asked, ask, 'maya');
  await requested(promotion);
  await deafen(journey, 'prod', 'control');
  for (const person of ['lena', 'paul']) await approve(journey, promotion, person);
  await published('control');
  const taken = async () =>
    (await records(journey, 'prod', 'APPROVAL_RECORDED')).filter(({ details }) => details['promotion'] === promotion);
  expect(await taken()).toEqual([]);
  await journey.invoke('prod', 'reconciler');
  await eventually('both decisions', async () => ((await taken()).length === 2 ? true : undefined));
  expect(await readPointer(prod(), MODEL)).toEqual(baseline);
  await approve(journey, promotion, 'rita');
  await serves(journey, 'prod', second);
  expect(await readPointer(prod(), MODEL)).toMatchObject({
    lastConfirmed: { release: baseline?.current },
    pendingPropagation: { ...second, promotion },
  });
  const Status = z.object({ models: z.array(z.object({ environments: z.array(z.looseObject({})) })) });
  const { models } = await journey.run(Status, ['status', MODEL]);
  expect(models[0]?.environments).toContainEqual(
    expect.objectContaining({
      environment: 'prod',
      pendingPropagation: expect.objectContaining({ version: second.version }),
    }),
  );
  const other = ['promote', `${MODEL}@${baseline?.version}`, '--to', 'prod'];
  expect(await journey.refused(other, 'maya')).toMatchObject({ rule: 'initial-only-once' });
});

test('an offer that staging did not hear of opens its promotion when its reconciler comes by, and prod hears by its own', async () => {
  const { ledger } = journey.account('staging');
  const heard = await records(journey, 'staging', 'UPSTREAM_RELEASED');
  expect(heard.filter(({ release }) => release === second.release)).toEqual([]);
  expect(await readPromotions(ledger, MODEL)).toHaveLength(2);
  await deafen(journey, 'prod', 'staging');
  await journey.invoke('staging', 'reconciler');
  expect(await hears(journey, 'staging', 'dev')).toBe(true);
  await serves(journey, 'staging', second);
  expect((await readPromotions(ledger, MODEL)).map(({ status }) => status)).toEqual(Array(3).fill('committed'));
  await published('staging');
  const carried = async () =>
    (await records(journey, 'prod', 'UPSTREAM_RELEASED')).filter(
      ({ release, details }) => release === second.release && details['peer'] === 'staging',
    );
  expect(await carried()).toEqual([]);
  await journey.invoke('prod', 'reconciler');
  expect(await hears(journey, 'prod', 'staging')).toBe(true);
  await eventually('prod to hear that staging carries the digest', async () => (await carried())[0]);
});

test('what exists keeps every invariant', async () => {
  await settled(journey);
  expect(await journey.fsck()).toEqual([]);
});

/** Waits until control asks people about a promotion. */
function requested(promotion: string) {
  const { ledger } = journey.account('control');
  return eventually('control to ask', () => ledger.get(keys.request(MODEL, promotion)));
}

/** Waits until an environment has published all that its chain says. */
function published(environment: Environment): Promise<true> {
  const { ledger } = journey.account(environment);
  return eventually(`${environment} to publish`, async () => {
    const [head, cursor] = [await ledger.get(keys.chainHead(MODEL)), await ledger.get(keys.cursor('published', MODEL))];
    return head !== undefined && cursor?.['seq'] === head['seq'] ? true : undefined;
  });
}
