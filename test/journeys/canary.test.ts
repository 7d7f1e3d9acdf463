import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion } from '#read-model/promotions.ts';
import { isQuarantined } from '#read-model/quarantines.ts';
import { eventually } from '../_helpers/cloud.ts';
import { asking, type Asking, EVENT } from './_endpoint.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import { silence } from './_hearing.ts';
import {
  approve,
  askForProd,
  offeredRelease,
  recorded,
  records,
  type Release,
  SECOND,
  servedRelease,
  serves,
} from './_lifecycle.ts';

let journey: Journey;
let champion: Release;
let candidate: Release;
let callers: Callers;
beforeAll(async () => {
  // A canary's minutes are the wall's; what waits between two looks at it is not.
  journey = await openJourney('offered', { governance: 'local/governance', waitScale: 0.1 });
  champion = await servedRelease(journey, 'prod');
  candidate = await offeredRelease(journey);
});
afterAll(async () => {
  await callers?.stop();
  await journey[Symbol.asyncDispose]();
});

/** Consumers who go on asking, each of another event, and never stop for a canary. */
interface Callers {
  /** How many answers there were, by their status and the release that gave them. */
  readonly answers: Map<string, number>;
  stop(): Promise<void>;
}

function callsOf(consumer: Asking, atOnce: number): Callers {
  const answers = new Map<string, number>();
  const going = new Set(['asking']);
  let next = EVENT.payment_id;
  const caller = async (): Promise<void> => {
    while (going.size > 0) {
      const { status, digest } = await consumer.ask([
        { ...EVENT, paid_at: `${SECOND}T08:15:00Z`, payment_id: (next += 1) },
      ]);
      const name = status === 200 ? digest : `${status}: ${digest}`;
      answers.set(name, (answers.get(name) ?? 0) + 1);
    }
  };
  const all = Promise.all(Array.from({ length: atOnce }, caller));
  return {
    answers,
    async stop() {
      going.clear();
      await all;
    },
  };
}

const prod = () => journey.account('prod').ledger;

/** Requests the candidate's promotion; two people approve, and its canary begins. */
async function begun(): Promise<string> {
  const promotion = await askForProd(journey, candidate);
  for (const person of ['lena', 'paul']) await approve(journey, promotion, person);
  return promotion;
}

/** Waits until the traffic is divided for a promotion, and undivided again, and gives what the chain says of its end. */
async function divided(promotion: string) {
  await recorded(journey, 'prod', 'CANARY_STARTED', ({ details }) => details['promotion'] === promotion, 120);
  expect((await readPointer(prod(), MODEL))?.traffic).toMatchObject({
    arms: [
      { arm: 'champion', release: champion.release },
      { arm: 'candidate', release: candidate.release, share: 0.3 },
      { arm: 'control', release: champion.release, share: 0.3 },
    ],
  });
}
const ended = (promotion: string) =>
  recorded(journey, 'prod', 'CANARY_ENDED', ({ details }) => details['promotion'] === promotion, 300).then((record) =>
    detailsOf(record, 'CANARY_ENDED'),
  );

test('a policy with canaries comes into force by two votes, and requests come', async () => {
  await journey.run(z.unknown(), ['deploy', 'staging', 'prod']);
  for (const person of ['paul', 'rita']) {
    await journey.run(z.unknown(), ['policy', 'activate', MODEL, '--env', 'staging'], person);
    await journey.run(z.unknown(), ['policy', 'activate', MODEL, '--env', 'prod']);
  }
  for (const environment of ['staging', 'prod'] as const)
    await recorded(journey, environment, 'POLICY_ACTIVATED', ({ details }) => details['replaces'] !== null);
  callers = callsOf(await asking(journey, 'prod'), 2);
  await silence(journey, 'dev', false);
  await journey.invoke('dev', 'publisher', { model: MODEL });
  await serves(journey, 'staging', candidate);
  expect([...callers.answers.keys()]).toEqual([champion.release]);
});

test('a candidate that fails its requests is aborted and quarantined, and no caller fails', async () => {
  const promotion = await askForProd(journey, candidate);
  await journey.run(z.unknown(), ['local', 'fault', MODEL, 'errors', '--arm', 'candidate', '--env', 'prod']);
  for (const person of ['lena', 'paul']) await approve(journey, promotion, person);
  await divided(promotion);
  expect(await ended(promotion)).toMatchObject({ verdict: 'aborted', candidate: candidate.release, quarantined: true });
  await eventually('the promotion to be refused', async () => {
    const found = await findPromotion(prod(), MODEL, promotion);
    return found?.status === 'refused' ? found : undefined;
  });
  expect(await isQuarantined(prod(), MODEL, Digest.parse(candidate.release))).toBe(true);
  expect(await servedRelease(journey, 'prod')).toEqual(champion);
  expect([...callers.answers.keys()]).toEqual([champion.release]);
  await journey.run(z.unknown(), ['local', 'fault', MODEL, 'none', '--arm', 'candidate', '--env', 'prod']);
});

test('the same release, let go by two people and healthy now, finishes its canary and is promoted', async () => {
  for (const person of ['paul', 'rita'])
    await journey.run(
      z.unknown(),
      ['quarantine', 'lift', `${MODEL}@${candidate.version}`, '--env', 'prod', '--reason', 'the fault was injected'],
      person,
    );
  await recorded(journey, 'prod', 'QUARANTINE_LIFTED');
  const promotion = await begun();
  await divided(promotion);
  expect(await ended(promotion)).toMatchObject({ verdict: 'finished', quarantined: false });
  await serves(journey, 'prod', candidate);
  await callers.stop();
  expect([...callers.answers.keys()].toSorted()).toEqual([candidate.release, champion.release].toSorted());
  expect((await records(journey, 'prod', 'CANARY_STARTED')).length).toBe(2);
});

test('what exists keeps every invariant', async () => {
  expect(await journey.fsck()).toEqual([]);
});
