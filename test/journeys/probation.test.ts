import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import type { PolicyTightening } from '#domain/policy/tightening.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readQuarantined } from '#read-model/quarantines.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Listener, listen } from './_alerts.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import { silence } from './_hearing.ts';
import {
  letIntoProd,
  offeredRelease,
  recorded,
  records,
  type Release,
  SECOND,
  servedRelease,
  serves,
  settled,
} from './_lifecycle.ts';

/**
 * The day after the second release's week, and what prod's customers dispute in it: something else than they did. On its
 * last day prod's payments come in cents.
 */
const OVER = '2026-02-05';
const CHANGED = { kind: 'mixed-labels-cents', first: SECOND, last: OVER } as const;

/** A gain has to be large to count as proven here, and a few hundred labels are enough to roll something back. */
const POLICY: PolicyTightening = {
  comparison: { minimumImprovement: 0.079, minimumImprovementSeeded: 0.079 },
  drift: { stable: ['amount', 'hour', 'abroad_flag'] },
  transitions: { prod: { probation: { fast: { minimumLabels: 800 } } } },
};
const ROOT = join(import.meta.dirname, '../../.gatehouse');

let models: string;
let journey: Journey;
let pager: Listener;
let first: Release;
let second: Release;

beforeAll(async () => {
  await mkdir(ROOT, { recursive: true });
  models = await mkdtemp(join(ROOT, 'models-'));
  await cp(join(import.meta.dirname, '../models', MODEL), join(models, MODEL), { recursive: true });
  await writeFile(join(models, MODEL, 'policy.ts'), `export default ${JSON.stringify(POLICY)};\n`);
  // Alarms are evaluated each two seconds.
  journey = await openJourney('offered', { folders: [models], timeScale: 30 });
  pager = await listen(journey, 'prod');
});
afterAll(async () => {
  await journey[Symbol.asyncDispose]();
  await rm(models, { recursive: true });
});

const serving = (environment: 'staging' | 'prod') => journey.account(environment).ledger;

/** Looks at what is served as of a day, as the schedule would, and gives the states that it ended in. */
async function review(environment: 'staging' | 'prod', asOf: string, name = `review-${asOf}`): Promise<string> {
  const input = { model: MODEL, asOf: `${asOf}T00:05:00Z` };
  const { status, output } = await journey.ended(
    environment,
    await journey.start(environment, 'probation', name, input),
    180,
  );
  expect(status).toBe('SUCCEEDED');
  const said = z.object({
    plan: z.object({ status: z.string() }),
    judgement: z.object({ status: z.string() }).optional(),
  });
  const { plan, judgement } = said.parse(output);
  return judgement?.status ?? plan.status;
}

test('another policy comes into force when two people have asked for it, and not by being deployed', async () => {
  const inForce = (environment: 'staging' | 'prod') => readActivePolicy(serving(environment), MODEL);
  const before = await inForce('prod');
  await journey.run(z.unknown(), ['deploy', 'staging', 'prod']);
  const activate = async (person: string): Promise<void> => {
    await journey.run(z.unknown(), ['policy', 'activate', MODEL, '--env', 'staging'], person);
    await journey.run(z.unknown(), ['policy', 'activate', MODEL, '--env', 'prod']);
  };
  await activate('paul');
  await recorded(journey, 'prod', 'POLICY_VOTE_VERIFIED');
  expect(await inForce('prod')).toEqual(before);
  await activate('rita');
  for (const environment of ['staging', 'prod'] as const) {
    const activated = await recorded(
      journey,
      environment,
      'POLICY_ACTIVATED',
      ({ details }) => details['replaces'] !== null,
    );
    expect(activated.details).toMatchObject({
      replaces: before?.policy,
      approvedBy: ['person:paul', 'person:rita'],
    });
    expect((await inForce(environment))?.rules.comparison.minimumImprovement).toBe(0.079);
  }
});

test('a likely gain is promoted on probation, in staging and in prod', async () => {
  first = await servedRelease(journey, 'prod');
  second = await offeredRelease(journey);
  expect(second.release).not.toBe(first.release);
  expect(await readPointer(serving('prod'), MODEL)).toMatchObject({ status: 'confirmed' });
  await silence(journey, 'dev', false);
  await journey.invoke('dev', 'publisher', { model: MODEL });
  await serves(journey, 'staging', second);
  await letIntoProd(journey, second);
  await settled(journey);
  for (const environment of ['staging', 'prod'] as const) {
    const pointer = await readPointer(serving(environment), MODEL);
    expect(pointer).toMatchObject({ current: second.release, status: 'probation', lastConfirmed: first });
    const week = Date.parse(pointer?.until ?? '') - Date.parse(pointer?.at ?? '');
    expect(week).toBe(7 * 86_400_000);
  }
});

test('it is watched while labels are few, and nobody is told', async () => {
  await journey.land({ from: SECOND, until: OVER }, ['staging']);
  await journey.land({ from: SECOND, until: OVER, damage: CHANGED }, ['prod']);
  await settled(journey);
  expect(await review('prod', '2026-01-31')).toBe('wait');
  expect(await records(journey, 'prod', 'RELEASE_JUDGED')).toEqual([]);
  const Status = z.object({
    models: z.array(
      z.object({
        environments: z.array(z.looseObject({ environment: z.string(), review: z.looseObject({}).optional() })),
      }),
    ),
  });
  const { models: shown } = await journey.run(Status, ['status', MODEL]);
  expect(shown[0]?.environments).toContainEqual(
    expect.objectContaining({
      environment: 'prod',
      pointerStatus: 'probation',
      review: expect.objectContaining({ status: 'wait', reason: expect.stringContaining('800 are needed') }),
    }),
  );
});

test('in prod, where the labels say that it is worse, it is rolled back and its predictions are repaired', async () => {
  expect(await review('prod', '2026-02-04')).toBe('roll-back');
  const judged = await recorded(journey, 'prod', 'RELEASE_JUDGED');
  const { verdict, rule, maturity, point, shadow } = detailsOf(judged, 'RELEASE_JUDGED');
  expect({ verdict, rule, shadow }).toEqual({ verdict: 'ROLL_BACK', rule: 'fast', shadow: first.release });
  expect(point).toBeLessThan(-0.02);
  expect(maturity.matured).toBeGreaterThan(800);
  expect(maturity.served).toBeGreaterThan(maturity.matured);
  expect((await pager.hears('RELEASE_JUDGED')).details).toMatchObject({ verdict, maturity });
  expect((await pager.hears('RELEASE_ROLLED_BACK')).details).toMatchObject({ from: second.release });
  await settled(journey);
  expect(await readPointer(serving('prod'), MODEL)).toMatchObject({
    current: first.release,
    status: 'confirmed',
    until: null,
  });
  expect(await readQuarantined(serving('prod'), MODEL)).toEqual([second.release]);
  const predictions = await readPredictions(serving('prod'), MODEL);
  expect(predictions.filter(({ release }) => release !== first.release)).toEqual([]);
  // The same day once more, and the schedule of the next one, find nothing to do.
  expect(await review('prod', '2026-02-04', 'again')).toBe('idle');
  expect(await records(journey, 'prod', 'RELEASE_JUDGED')).toHaveLength(1);
});

test('in staging, where they say that it is better, it is confirmed when its week is over', async () => {
  expect(await review('staging', '2026-02-04')).toBe('wait');
  expect(await review('staging', OVER)).toBe('confirm');
  expect(await readPointer(serving('staging'), MODEL)).toMatchObject({
    current: second.release,
    status: 'confirmed',
    until: null,
  });
  const [judged] = await records(journey, 'staging', 'RELEASE_JUDGED');
  const [confirmed] = await records(journey, 'staging', 'RELEASE_CONFIRMED');
  expect(judged?.details).toMatchObject({ verdict: 'CONFIRM', rule: 'slow', days: 7 });
  expect(judged?.details['measures']).toMatchObject({ slow: confirmed?.details['evidence'] });
});

/** Checks for drift as of a day, as the schedule would, and gives what prod's chain says of it. */
async function checkDrift(asOf: string, name = `drift-${asOf}`) {
  const { status } = await journey.ended(
    'prod',
    await journey.start('prod', 'drift', name, { model: MODEL, asOf: `${asOf}T00:05:00Z` }),
    180,
  );
  expect(status).toBe('SUCCEEDED');
  const record = (await records(journey, 'prod', 'DRIFT_CHECKED')).find(({ details }) => details['run'] === name);
  if (record === undefined) throw new Error(`${name} said nothing`);
  return detailsOf(record, 'DRIFT_CHECKED');
}

test('inputs as they were are stable, with features that are the same bytes when they are made anew', async () => {
  expect(await checkDrift('2026-02-04')).toMatchObject({
    status: 'stable',
    day: '2026-02-03',
    inputs: 'stable',
    concept: 'pending',
    disagreement: 'none',
    parity: 'same',
  });
  expect(await records(journey, 'dev', 'DRIFT_HANDLED')).toEqual([]);
});

test('another unit is alerted on the day after, and dev retrains once, not for each check', async () => {
  const found = await checkDrift(OVER);
  expect(found).toMatchObject({ status: 'drifted', day: '2026-02-04', inputs: 'drifted', parity: 'same' });
  expect(found.worst).toMatchObject({ input: 'amount' });
  expect((await pager.hears('DRIFT_CHECKED')).details).toMatchObject({
    run: `drift-${OVER}`,
    worst: { input: 'amount' },
  });
  const started = await recorded(journey, 'dev', 'RETRAINING_STARTED', ({ details }) => details['trigger'] === 'drift');
  expect(detailsOf(started, 'RETRAINING_STARTED').asOf).toBe(OVER);
  await checkDrift(OVER, 'drift-again');
  await recorded(journey, 'dev', 'DRIFT_HANDLED', ({ details }) => details['answer'] === 'deferred');
  await settled(journey);
  const answers = (await records(journey, 'dev', 'DRIFT_HANDLED')).map((record) => detailsOf(record, 'DRIFT_HANDLED'));
  const { run } = detailsOf(started, 'RETRAINING_STARTED');
  expect(answers.map(({ answer, run: of }) => ({ answer, of }))).toEqual([
    { answer: 'retraining', of: run },
    { answer: 'deferred', of: run },
  ]);
  const retrainings = await records(journey, 'dev', 'RETRAINING_STARTED');
  expect(retrainings.filter(({ details }) => details['trigger'] === 'drift')).toHaveLength(1);
});

test('the alarms on drift say what the checks say, and that checks come', async () => {
  const { aws, names } = journey.account('prod');
  await pager.hearsAlarm(names.name(`drift-${MODEL}`));
  const unchecked = names.name(`drift-unchecked-${MODEL}`);
  const state = async () => {
    const { MetricAlarms } = await aws.cloudWatch().send(new DescribeAlarmsCommand({ AlarmNames: [unchecked] }));
    return MetricAlarms?.[0]?.StateValue;
  };
  expect(await state()).toBe('INSUFFICIENT_DATA');
  await journey.invoke('prod', 'prediction-store', { task: 'Check service level', input: { model: MODEL } });
  await eventually('a check that has come', async () => ((await state()) === 'OK' ? true : undefined));
  expect(pager.alarms()).not.toContain(unchecked);
});

test('status shows what drifted, by how much, and where its picture is', async () => {
  const Drift = z.object({
    models: z.array(
      z.object({ environments: z.array(z.looseObject({ environment: z.string() })), retraining: z.looseObject({}) }),
    ),
  });
  const [shown] = (await journey.run(Drift, ['status', MODEL, '--drift'])).models;
  expect(shown?.retraining).toMatchObject({ trigger: 'drift', asOf: OVER });
  const prod = shown?.environments.find(({ environment }) => environment === 'prod');
  expect(prod).toMatchObject({ newest: { status: 'drifted', day: '2026-02-04' }, isOverdue: false });
  expect(await readFile(z.string().parse(prod?.['picture']), 'utf8')).toContain('amount');
  expect(shown?.environments).toContainEqual({ environment: 'staging', newest: null, isOverdue: false, picture: null });
});

test('what exists keeps every invariant', async () => {
  await settled(journey);
  expect(await journey.fsck()).toEqual([]);
});
