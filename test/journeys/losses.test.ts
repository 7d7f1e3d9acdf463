import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import { DisableRuleCommand, EnableRuleCommand } from '@aws-sdk/client-eventbridge';
import {
  GetEventSourceMappingCommand,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { DescribeTrainingJobCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { keys } from '#domain/ledger/keys.ts';
import { pointerOf, predictionsOf, promotionsOf, quarantinedIn } from '#cli/read.ts';
import type { Environment } from '#model/config.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import { deafen, hears } from './_hearing.ts';
import {
  approve,
  arriveInStaging,
  askForProd,
  FIRST,
  recorded,
  records,
  type Release,
  serves,
  settled,
  SLIPPED,
} from './_lifecycle.ts';

const Started = z.object({ run: z.string(), arn: z.string() });

let journey: Journey;
let first: Release;

beforeAll(async () => {
  journey = await openJourney('deployed');
  await journey.land({ from: FIRST.from, until: FIRST.asOf, damage: SLIPPED }, ['dev']);
  await journey.land({ from: FIRST.from, until: FIRST.asOf }, ['staging', 'prod']);
});
afterAll(() => journey[Symbol.asyncDispose]());

test('a training job whose end nobody heard of is asked by the reconciler, and the run goes on', async () => {
  const { aws, names, ledger } = journey.account('dev');
  const rule = { Name: names.name('training-job-changed') };
  await aws.events().send(new DisableRuleCommand(rule));
  await deafen(journey, 'staging', 'dev');
  await silence('dev');
  const { run, arn } = await journey.run(Started, ['run', 'start', MODEL, '--as-of', FIRST.asOf, '--no-wait']);
  const job = await eventually('the training job', async () => (await ledger.query(keys.tasks('training')))[0]?.sk);
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
  first = { release: String(offer.release), version: detailsOf(offer, 'RELEASE_OFFERED').version };
});

test('records that the stream did not carry are published by the reconciler', async () => {
  const { ledger } = journey.account('dev');
  const head = Number((await ledger.get(keys.chainHead(MODEL)))?.['seq']);
  expect(Number((await ledger.get(keys.cursor('published', MODEL)))?.['seq'] ?? -1)).toBeLessThan(head);
  await journey.invoke('dev', 'reconciler');
  await eventually('the publication', async () => {
    const published = Number((await ledger.get(keys.cursor('published', MODEL)))?.['seq'] ?? -1);
    return published === head ? published : undefined;
  });
  await silence('dev', false);
});

test('an offer that staging did not hear of opens its promotion when the reconciler comes by', async () => {
  const { ledger } = journey.account('staging');
  // Prod hears dev as well, control hears prod, and staging control: nothing of that is dev's offer.
  const heard = (await records(journey, 'staging')).filter(({ details }) => details['peer'] !== 'control');
  expect(heard).toEqual([]);
  expect(await hears(journey, 'staging', 'dev')).toBe(false);
  await deafen(journey, 'prod', 'staging');
  await deafen(journey, 'control', 'prod');
  await journey.invoke('staging', 'reconciler');
  expect(await hears(journey, 'staging', 'dev')).toBe(true);
  await serves(journey, 'staging', first);
  expect((await promotionsOf(ledger, MODEL)).map(({ status }) => status)).toEqual(['committed', 'committed']);
});

test('so do the releases of staging in prod, the requests of prod in control, and the decisions of control in prod', async () => {
  expect(await pointerOf(journey.account('prod').ledger, MODEL)).toBeUndefined();
  await journey.invoke('prod', 'reconciler');
  await recorded(journey, 'prod', 'RELEASE_PROMOTED');

  await journey.run(z.unknown(), ['promote', `${MODEL}@${first.version}`, '--to', 'prod', '--no-wait'], 'maya');
  const asked = await recorded(journey, 'prod', 'APPROVAL_REQUESTED');
  const { promotion } = detailsOf(asked, 'APPROVAL_REQUESTED');
  expect(await journey.refused(['approve', promotion], 'lena')).toMatchObject({ rule: 'approval-requested' });
  await journey.invoke('control', 'reconciler');
  expect(await hears(journey, 'control', 'prod')).toBe(true);
  await eventually('the request', () => journey.account('control').ledger.get(keys.request(MODEL, promotion)));

  await deafen(journey, 'prod', 'control');
  await approve(journey, promotion, 'lena');
  await approve(journey, promotion, 'paul');
  await eventually('control to publish', async () => {
    const { ledger } = journey.account('control');
    const [head, cursor] = [await ledger.get(keys.chainHead(MODEL)), await ledger.get(keys.cursor('published', MODEL))];
    return head !== undefined && cursor?.['seq'] === head['seq'] ? true : undefined;
  });
  expect(await records(journey, 'prod', 'APPROVAL_RECORDED')).toEqual([]);
  await journey.invoke('prod', 'reconciler');
  await serves(journey, 'prod', first);
  await settled(journey);
});

test('two rollbacks at once are one, and a promotion that was open meanwhile is refused', async () => {
  const prod = journey.account('prod').ledger;
  await journey.land({ from: FIRST.from, until: FIRST.asOf }, ['dev']);
  const second = await arriveInStaging(journey, FIRST.asOf);
  const promotion = await askForProd(journey, second);
  const epoch = (await pointerOf(prod, MODEL))?.epoch;
  const input = { model: MODEL, reason: 'two pagers went off', actor: 'person:someone', from: first.release, epoch };
  const started = await Promise.all(
    ['left', 'right'].map((rollback) => journey.start('prod', 'rollback', rollback, { ...input, rollback })),
  );
  for (const arn of started) expect((await journey.ended('prod', arn)).status).toBe('SUCCEEDED');
  expect(await records(journey, 'prod', 'RELEASE_ROLLED_BACK')).toHaveLength(1);
  const [refused, ...others] = await records(journey, 'prod', 'ROLLBACK_REFUSED');
  expect(others).toEqual([]);
  expect(refused?.details['rule']).toBe('rollback-epoch');
  expect(await quarantinedIn(prod, MODEL)).toEqual([first.release]);

  // Nobody else need decide on what was compared with a champion that is gone.
  await approve(journey, promotion, 'lena');
  const ended = await recorded(journey, 'prod', 'PROMOTION_REFUSED');
  expect(ended.details).toMatchObject({ promotion, rule: 'champion-unchanged' });
  await settled(journey);
  const pointer = await pointerOf(prod, MODEL);
  expect(pointer?.version).toBe('0.1.0');
  const predictions = await predictionsOf(prod, MODEL);
  expect(new Set(predictions.map(({ release }) => release))).toEqual(new Set([pointer?.current]));
});

test('what exists keeps every invariant', async () => {
  expect(await journey.fsck()).toEqual([]);
});

/** Stops the ledger's stream from reaching the publisher, or lets it through again. */
async function silence(environment: Environment, isSilent = true): Promise<void> {
  const { aws, names } = journey.account(environment);
  const FunctionName = names.functionName('publisher');
  const { EventSourceMappings: [mapping] = [] } = await aws
    .lambda()
    .send(new ListEventSourceMappingsCommand({ FunctionName }));
  const UUID = mapping?.UUID;
  await aws.lambda().send(new UpdateEventSourceMappingCommand({ UUID, Enabled: !isSilent }));
  await eventually('the stream to be switched', async () => {
    const { State } = await aws.lambda().send(new GetEventSourceMappingCommand({ UUID }));
    return State === (isSilent ? 'Disabled' : 'Enabled') ? State : undefined;
  });
}
