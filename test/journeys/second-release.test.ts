import { ExecutionAlreadyExists } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { keys } from '#domain/ledger/keys.ts';
import { partitionsOf, pointerOf, predictionsOf, promotionsOf, quarantinedIn } from '#cli/read.ts';
import { type Listener, listen } from './_alerts.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import {
  arriveInStaging,
  FIRST,
  letIntoProd,
  offeredRelease,
  recorded,
  records,
  type Release,
  retrain,
  serves,
  settled,
  stateOf,
} from './_lifecycle.ts';

/** All of it, until the first day that chooses: what is trained on that must not get anywhere. */
const DAMAGED = { kind: 'shuffled-labels', first: '2026-01-02', last: '2026-01-13' } as const;
const SECOND = '2026-01-29';
/** The days that are kept scored, and the two that were when the first release came. */
const DAYS = 9;

let journey: Journey;
let pager: { readonly dev: Listener; readonly prod: Listener };
let first: Release;
let second: Release;

beforeAll(async () => {
  journey = await openJourney('champion');
  pager = { dev: await listen(journey, 'dev'), prod: await listen(journey, 'prod') };
});
afterAll(() => journey[Symbol.asyncDispose]());

const prod = () => journey.account('prod').ledger;
const runsOfProd = async () =>
  (await records(journey, 'prod', 'PREDICTIONS_PUBLISHED')).map((record) => ({
    release: record.release,
    ...detailsOf(record, 'PREDICTIONS_PUBLISHED'),
  }));

test('a first release is let in, and everything is scored by it', async () => {
  first = await offeredRelease(journey);
  await serves(journey, 'prod', first);
  expect(await runsOfProd()).toContainEqual(
    expect.objectContaining({ kind: 'full', partitions: 7, release: first.release }),
  );
});

test('candidates of damaged data are rejected with their numbers, and people are told', async () => {
  await journey.land({ from: FIRST.from, until: FIRST.asOf, damage: DAMAGED }, ['dev']);
  const labels = await partitionsOf(journey.account('dev').ledger, MODEL, 'labels');
  const versionOf = (day: string) => labels.find((partition) => partition.day === day)?.version;
  expect(['2026-01-04', '2026-01-08', '2026-01-13', '2026-01-14'].map(versionOf)).toEqual([2, 2, 2, 1]);
  const { run, status, conclusion } = await retrain(journey, FIRST.asOf);
  expect(status).toBe('rejected');
  const { reasons } = detailsOf(conclusion, 'CANDIDATES_REJECTED');
  expect(reasons.join('\n')).toMatch(/log loss \d\.\d{4} against the champion's \d\.\d{4}: -\d+\.\d\d %/);
  const alert = await pager.dev.hears('CANDIDATES_REJECTED');
  expect(alert.details).toMatchObject({ run, asOf: FIRST.asOf, reasons });
  expect((await pointerOf(prod(), MODEL))?.current).toBe(first.release);
  expect(await promotionsOf(journey.account('staging').ledger, MODEL)).toHaveLength(2);
});

test('corrections are new versions, and what is trained on them is better and is let in', async () => {
  await journey.land({ from: FIRST.from, until: SECOND });
  const ledger = journey.account('dev').ledger;
  const labels = await partitionsOf(ledger, MODEL, 'labels');
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
  expect((await pointerOf(prod(), MODEL))?.lastConfirmed).toEqual(first);
});

test('a run scores what has changed: everything after a promotion, one day after a correction, nothing otherwise', async () => {
  expect((await runsOfProd()).findLast(({ release }) => release === second.release)).toMatchObject({
    kind: 'full',
    partitions: DAYS,
  });
  const before = await predictionsOf(prod(), MODEL);
  // Labels that arrived on the 27th are known to the features of the 28th, the newest day, and to no other day.
  const corrected = { kind: 'shuffled-labels', first: '2026-01-27', last: '2026-01-27' } as const;
  const known = (await runsOfProd()).length;
  await journey.land({ from: FIRST.from, until: SECOND, damage: corrected }, ['prod']);
  await recorded(journey, 'prod', 'PREDICTIONS_PUBLISHED', ({ details }) => details['kind'] === 'partial');
  await settled(journey);
  const after = await predictionsOf(prod(), MODEL);
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
  expect(await pointerOf(prod(), MODEL)).toMatchObject({ current: first.release, version: first.version });
  expect(await quarantinedIn(prod(), MODEL)).toEqual([second.release]);
  const predictions = await predictionsOf(prod(), MODEL);
  expect(predictions).toHaveLength(DAYS);
  expect(predictions.filter(({ release }) => release !== first.release)).toEqual([]);
  const [incident] = await records(journey, 'prod', 'INCIDENT_OPENED');
  expect(incident?.details).toMatchObject({
    rollback: done.rollback,
    reason: 'disputes doubled overnight',
    affected: DAYS,
  });
  expect((await pager.prod.hears('RELEASE_ROLLED_BACK')).details).toMatchObject({ from: second.release });
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

/** The same rollback once more: by its own execution, and by another one that an alarm might start. */
async function rollBackAgain(rollback: string): Promise<void> {
  const before = await stateOf(journey);
  const input = { model: MODEL, reason: 'again', actor: 'person:someone', rollback, from: second.release, epoch: 3 };
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
