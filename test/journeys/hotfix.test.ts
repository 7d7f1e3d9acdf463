import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { keys } from '#domain/ledger/keys.ts';
import { pointerOf } from '#cli/read.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import { approve, FIRST, recorded, records, type Release, retrain, serves, settled } from './_lifecycle.ts';

const REASON = 'staging has no data, and production is a constant';

let journey: Journey;
let baseline: Release;
let release: Release;

beforeAll(async () => {
  journey = await openJourney('deployed');
  // Staging gets no data: it can let in a baseline, and measure nothing.
  await journey.land({ from: FIRST.from, until: FIRST.asOf }, ['dev', 'prod']);
});
afterAll(() => journey[Symbol.asyncDispose]());

const prod = () => journey.account('prod').ledger;
const ask = (args: readonly string[]): readonly string[] => ['promote', `${MODEL}@${release.version}`, ...args];

test('what staging cannot judge does not come to prod in the ordinary way', async () => {
  const { status, conclusion } = await retrain(journey, FIRST.asOf);
  expect(status).toBe('offered');
  release = { release: String(conclusion.release), version: detailsOf(conclusion, 'RELEASE_OFFERED').version };
  await recorded(journey, 'staging', 'PROMOTION_REFUSED');
  const [first] = await records(journey, 'dev', 'BASELINE_REGISTERED');
  if (first === undefined) throw new Error('dev has no baseline');
  baseline = { release: String(first.release), version: detailsOf(first, 'BASELINE_REGISTERED').version };
  await serves(journey, 'prod', baseline);
  expect(await journey.refused(ask(['--to', 'prod']), 'maya')).toMatchObject({ rule: 'released-upstream' });
});

test('a hotfix comes from dev past staging, by one person more, and is in debt', async () => {
  const Asked = z.object({ promotion: z.string(), status: z.literal('awaiting-approval') });
  const { promotion } = await journey.run(Asked, ask(['--to', 'prod', '--hotfix', '--reason', REASON]), 'maya');
  const { ledger } = journey.account('control');
  const asked = await eventually('control to ask', () => ledger.get(keys.request(MODEL, promotion)));
  expect(asked).toMatchObject({ transition: 'hotfix', hotfix: { reason: REASON } });
  for (const person of ['lena', 'paul']) await approve(journey, promotion, person);
  await recorded(journey, 'prod', 'APPROVAL_RECORDED', ({ actor }) => actor === 'person:paul');
  expect((await pointerOf(prod(), MODEL))?.current).toBe(baseline.release);
  await approve(journey, promotion, 'rita');
  await serves(journey, 'prod', release);
  expect(await pointerOf(prod(), MODEL)).toMatchObject({
    lastConfirmed: baseline,
    debt: { ...release, promotion },
  });
  const Status = z.object({ models: z.array(z.object({ environments: z.array(z.looseObject({})) })) });
  const { models } = await journey.run(Status, ['status', MODEL]);
  expect(models[0]?.environments).toContainEqual(
    expect.objectContaining({ environment: 'prod', debt: expect.objectContaining({ version: release.version }) }),
  );
});

test('staging carries the digest afterwards, and prod hears of it; the baseline does not come back as a release', async () => {
  const other = ['promote', `${MODEL}@${baseline.version}`, '--to', 'prod'];
  expect(await journey.refused(other, 'maya')).toMatchObject({ rule: 'initial-only-once' });
  await journey.land({ from: FIRST.from, until: FIRST.asOf }, ['staging']);
  await journey.run(z.object({ status: z.literal('promoted') }), ask(['--to', 'staging']), 'maya');
  await recorded(
    journey,
    'prod',
    'UPSTREAM_RELEASED',
    ({ release: of, details }) => of === release.release && details['peer'] === 'staging',
  );
  await settled(journey);
});

test('what exists keeps every invariant', async () => {
  expect(await journey.fsck()).toEqual([]);
});
