// What an endpoint does wrong is seen by an alarm of the deployed stacks, and the release that does it goes.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GetExecutionHistoryCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { detailsOf } from '#domain/audit/chain.ts';
import { z } from 'zod';
import { readIncidents } from '#read-model/incidents.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readReadiness } from '#read-model/readiness.ts';
import { objectKey } from '#adapters/aws/artifact-store.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Journey, MODEL, openJourney, type SpineEnvironment } from './_harness.ts';
import { verifiesRollbacks } from './_hearing.ts';
import { listen, type Listener } from './_alerts.ts';
import { recorded, records, type Release, servedRelease } from './_lifecycle.ts';
import { type Asking, asking } from './_endpoint.ts';

/** A period of five minutes is over in ten seconds. */
const TIME_SCALE = 30;

let journey: Journey;
let bad: Release;
beforeAll(async () => {
  journey = await openJourney('champion', { timeScale: TIME_SCALE });
  bad = await servedRelease(journey, 'prod');
  await verifiesRollbacks(journey, 'prod');
});
afterAll(() => journey[Symbol.asyncDispose]());

/** Requests at once: what is slow is slow together. */
const AT_ONCE = 6;

const Fault = z.object({ version: z.string(), kind: z.string() });
const inject = (environment: SpineEnvironment, kind: string, ...more: readonly string[]) =>
  journey.run(Fault, ['local', 'fault', MODEL, kind, '--env', environment, ...more]);

const supervise = (environment: SpineEnvironment) =>
  journey.invoke(environment, 'alarms', { task: 'Supervise alarms', input: {} });

/** Asks until something has come, as consumers would go on doing; the statuses of the answers. */
async function askingUntil<T>(consumer: Asking, what: string, look: () => Promise<T | undefined>): Promise<T> {
  return eventually(
    what,
    async () => {
      await Promise.all(Array.from({ length: AT_ONCE }, () => consumer.ask()));
      return look();
    },
    120,
  );
}

/** Waits, while consumers ask, until an environment serves another release, and gives what its chain says of that. */
async function rolledBack(environment: SpineEnvironment, consumer: Asking, listener: Listener, alarm: string) {
  const { ledger, names } = journey.account(environment);
  await askingUntil(consumer, `${alarm} to roll back`, async () => {
    // The alarm acts when it changes, on what little it has seen; then it is the supervisor's, each minute.
    await supervise(environment);
    const pointer = await readPointer(ledger, MODEL);
    return pointer?.current === bad.release ? undefined : pointer;
  });
  await listener.hearsAlarm(names.name(`endpoint-${alarm}-${MODEL}`));
  const triggered = await recorded(journey, environment, 'ROLLBACK_TRIGGERED');
  await recorded(journey, environment, 'RELEASE_ROLLED_BACK');
  return detailsOf(triggered, 'ROLLBACK_TRIGGERED');
}

test('a release that fails requests is rolled back by itself, people are told, and its predictions are repaired', async () => {
  const listener = await listen(journey, 'prod');
  const consumer = await asking(journey, 'prod');
  expect((await consumer.ask()).status).toBe(200);
  await inject('prod', 'errors');
  const { kind, values, rollback } = await rolledBack('prod', consumer, listener, 'errors');
  expect(kind).toBe('errors');
  expect(values['failed']).toBeGreaterThanOrEqual(5);
  // The release before it answers, although the fault is still there: it is of the release.
  const baseline = await servedRelease(journey, 'prod');
  await eventually('answers of the release before', async () => {
    const { status, digest } = await consumer.ask();
    return status === 200 && digest === baseline.release ? true : undefined;
  });
  const { ledger } = journey.account('prod');
  const incident = await eventually('the incident', async () =>
    (await readIncidents(ledger, MODEL)).find((each) => each.rollback?.rollback === rollback),
  );
  expect(incident.rollback).toMatchObject({ from: bad.release, alarm: { kind: 'errors', values } });
  await listener.hears('ROLLBACK_TRIGGERED');
  await listener.hears('INCIDENT_OPENED');
  await eventually(
    'predictions of the release before',
    async () => {
      const all = await readPredictions(ledger, MODEL);
      return all.length > 0 && all.every(({ release }) => release === baseline.release) ? true : undefined;
    },
    120,
  );
  await inject('prod', 'none');
});

const Shown = z.looseObject({
  incident: z.looseObject({ status: z.string(), parts: z.array(z.looseObject({ part: z.string() })) }),
  timeline: z.array(z.looseObject({ what: z.string(), seq: z.int().nullable() })),
  metric: z.looseObject({ picture: z.string().nullable(), reason: z.string() }),
  decisions: z.looseObject({ rows: z.looseObject({ compared: z.int() }) }),
});

test('people acknowledge the incident, end its parts, and close it with its root cause', async () => {
  const { ledger } = journey.account('prod');
  const [{ incident } = { incident: '' }] = (await readIncidents(ledger, MODEL)).filter(({ rollback }) => rollback);
  await journey.run(z.unknown(), ['incident', 'acknowledge', incident, '--comment', 'looking at the source']);
  // What became right by itself ends with the round of the clock, which is stopped here.
  await journey.invoke('prod', 'incidents', { task: 'Tend incidents', input: { model: null } });
  const shown = await journey.run(Shown, ['incident', 'show', incident]);
  const parts = Object.fromEntries(shown.incident.parts.map(({ part, ...rest }) => [part, rest]));
  expect(parts).toMatchObject({
    predictions: { resolution: 'recomputed', by: 'pipeline:incidents' },
    answers: { resolution: null },
  });
  expect(shown.decisions.rows.compared).toBeGreaterThan(0);
  expect(shown.metric).toMatchObject({ picture: expect.stringContaining('.svg'), reason: '' });
  const said = shown.timeline.map(({ what }) => what.split(':')[0]);
  expect(said).toEqual(expect.arrayContaining(['ROLLBACK_TRIGGERED', 'RELEASE_ROLLED_BACK', 'INCIDENT_ACKNOWLEDGED']));
  const file = join(journey.cloud.home, 'postmortem.md');
  const close = ['incident', 'close', incident, '--root-cause', file, '--yes'];
  await journey.run(z.unknown(), ['incident', 'show', incident, '--postmortem', '--out', file]);
  expect(await readFile(file, 'utf8')).toContain('| RELEASE_ROLLED_BACK');
  expect(await journey.refused(close)).toMatchObject({ rule: 'incident-parts' });
  const settle = ['--part', 'answers', '--as', 'accepted', '--reason', 'consumers were told'];
  await journey.run(z.unknown(), ['incident', 'settle', incident, ...settle]);
  await journey.run(z.unknown(), close);
  expect(await journey.refused(close)).toMatchObject({ rule: 'incident-open' });
});

test('a release that became slow is rolled back by itself', async () => {
  const listener = await listen(journey, 'staging');
  const consumer = await asking(journey, 'staging');
  expect((await consumer.ask()).status).toBe(200);
  // More than twice the model's objective.
  await inject('staging', 'latency', '--milliseconds', '22000');
  const { kind, values } = await rolledBack('staging', consumer, listener, 'latency');
  expect(kind).toBe('latency');
  expect(values['slow']).toBeGreaterThanOrEqual(5);
});

test('the rollback is verified by probes that the release before answers; the request log is whole minutes later', async () => {
  const { aws, names } = journey.account('prod');
  const stateMachineArn = names.stateMachineArn('rollback-verification');
  const judged = await eventually('two probes to be judged', async () => {
    const { executions: [execution] = [] } = await aws.sfn().send(new ListExecutionsCommand({ stateMachineArn }));
    const { events = [] } = await aws
      .sfn()
      .send(new GetExecutionHistoryCommand({ executionArn: execution?.executionArn, maxResults: 1000 }));
    return events.find(({ stateEnteredEventDetails: entered }) => entered?.name === 'Check request log');
  });
  expect(JSON.parse(judged.stateEnteredEventDetails?.input ?? '{}')).toMatchObject({ probes: { status: 'answers' } });
  expect(await journey.fsck()).toEqual([]);
});

test('a release whose probe is answered by other values than it promised is rolled back by itself', async () => {
  await using other = await openJourney('champion', { timeScale: TIME_SCALE });
  const { ledger, aws, names } = other.account('prod');
  const probe = () => other.invoke('prod', 'prober', { task: 'Probe endpoints', input: {} });
  expect(await probe()).toMatchObject({ probes: { [MODEL]: { status: 'answered' } } });
  // What a rollback would go to is checked without touching traffic: an object that is deleted behind everybody's back is named.
  const { lastConfirmed } = (await readPointer(ledger, MODEL)) ?? { lastConfirmed: null };
  if (lastConfirmed === null) throw new Error('prod has nothing to go back to');
  const drill = ['run', 'start', MODEL, '--machine', 'rollback-readiness', '--env', 'prod'];
  const target = { Bucket: names.artifactBucket, Key: objectKey(lastConfirmed.release) };
  await other.run(z.unknown(), drill);
  expect(await readReadiness(ledger, MODEL)).toMatchObject({ status: 'ready' });
  const { VersionId } = await aws.s3().send(new DeleteObjectCommand(target));
  await other.run(z.unknown(), drill);
  expect(await readReadiness(ledger, MODEL)).toMatchObject({
    status: 'not-ready',
    failed: [{ condition: 'versions' }],
  });
  await aws.s3().send(new DeleteObjectCommand({ ...target, VersionId }));
  await other.run(z.unknown(), drill);
  expect(await readReadiness(ledger, MODEL)).toMatchObject({ status: 'ready' });
  await other.run(Fault, ['local', 'fault', MODEL, 'wrong-answers', '--env', 'prod']);
  expect(await probe()).toMatchObject({ probes: { [MODEL]: { status: 'failed' } } });
  await eventually(
    'health to roll back',
    async () => {
      await probe();
      const pointer = await readPointer(ledger, MODEL);
      return pointer?.current === bad.release ? undefined : pointer;
    },
    120,
  );
  const [triggered] = await eventually('its record', async () => {
    const found = await records(other, 'prod', 'ROLLBACK_TRIGGERED');
    return found.length > 0 ? found : undefined;
  });
  expect(triggered?.details).toMatchObject({ kind: 'health' });
});
