import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion } from '#read-model/promotions.ts';
import { isQuarantined } from '#read-model/quarantines.ts';
import { eventually } from '../_helpers/cloud.ts';
import { asking, EVENT } from './_endpoint.ts';
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

/** Consumers who go on asking, each time about another event, until they are told to stop. */
interface Callers {
  /** How many answers there were, by who gave them; what is an error stands there as it was said. */
  readonly answers: Map<string, number>;
  stop(): Promise<void>;
}

/** Requests per second: each is a line of the log, and a file of the lake. */
const RATE = 3;

function callersOf(event: string): Callers {
  const answers = new Map<string, number>();
  const going = new Set(['asking']);
  const Sent = z.object({ answers: z.record(z.string(), z.number()) });
  const over = (async () => {
    while (going.size > 0) {
      const args = [
        'local',
        'traffic',
        MODEL,
        '--env',
        'prod',
        '--event',
        event,
        '--rate',
        String(RATE),
        '--seconds',
        '10',
      ];
      const sent = await journey.run(Sent, args);
      for (const [by, count] of Object.entries(sent.answers)) answers.set(by, (answers.get(by) ?? 0) + count);
    }
  })();
  return {
    answers,
    async stop() {
      going.clear();
      await over;
    },
  };
}

/** Whether each answer was one: by a release, as an arm. */
const allAnswered = (): boolean =>
  [...callers.answers.keys()].every((by) => / as (champion|candidate|control)(, for the \w+)?$/.test(by));

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
  const file = join(journey.cloud.home, 'event.json');
  await writeFile(file, JSON.stringify({ ...EVENT, paid_at: `${SECOND}T08:15:00Z` }));
  await asking(journey, 'prod');
  callers = callersOf(file);
  await silence(journey, 'dev', false);
  await journey.invoke('dev', 'publisher', { model: MODEL });
  await serves(journey, 'staging', candidate);
  // A canary is begun by the traffic of the minute before.
  await eventually(
    'a minute of requests',
    async () => ([...callers.answers.values()].reduce((sum, each) => sum + each, 0) >= RATE * 100 ? true : undefined),
    180,
  );
  expect(allAnswered()).toBe(true);
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
  expect(allAnswered()).toBe(true);
  expect([...callers.answers.keys()].some((by) => by.endsWith(', for the candidate'))).toBe(true);
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
  const Shown = z.looseObject({ promotion: z.looseObject({ status: z.string() }) });
  expect(await journey.run(Shown, ['promotion', 'show', promotion, '--env', 'prod'])).toMatchObject({
    promotion: { status: 'in-canary' },
  });
  expect(await ended(promotion)).toMatchObject({ verdict: 'finished', quarantined: false });
  await serves(journey, 'prod', candidate);
  await callers.stop();
  expect(allAnswered()).toBe(true);
  expect(callers.answers.get(`${candidate.version} as candidate`) ?? 0).toBeGreaterThan(0);
  expect((await records(journey, 'prod', 'CANARY_STARTED')).length).toBe(2);
});

test('what exists keeps every invariant', async () => {
  expect(await journey.fsck()).toEqual([]);
});
