import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { signedCall } from '#cli/endpoint/signed-call.ts';
import { call } from '#cli/http.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import { FIRST, letIntoProd, offeredRelease, type Release, servedRelease, serves } from './_lifecycle.ts';

const ENV = ['--env', 'prod'] as const;
/** An event of the day that the newest aggregates are for. */
const EVENT = { payment_id: 1, card: 'card-7', paid_at: `${FIRST.asOf}T08:15:00Z`, amount: 120.5, abroad: true };

let journey: Journey;
let baseline: Release;
let release: Release;
let url: URL;
beforeAll(async () => {
  journey = await openJourney('candidate');
  baseline = await servedRelease(journey, 'prod');
  release = await offeredRelease(journey);
});
afterAll(() => journey[Symbol.asyncDispose]());

const Answer = z.object({
  model_version: z.string(),
  parameters: z.looseObject({ digest: z.string(), aggregates_until: z.string() }),
  outputs: z.array(z.object({ name: z.string(), data: z.array(z.union([z.number(), z.string()])) })),
});

/** Asks the endpoint for a prediction, by a signed call as any consumer makes it. */
async function asked(): Promise<{ readonly status: number; readonly digest: string; readonly probability: unknown }> {
  const { names } = journey.account('prod');
  const cloud = {
    names,
    credentials: async () => ({ accessKeyId: names.account, secretAccessKey: 'test' }),
  };
  const inputs = Object.entries({
    payment_id: 'INT64',
    card: 'BYTES',
    paid_at: 'BYTES',
    amount: 'FP64',
    abroad: 'BOOL',
  });
  const body = JSON.stringify({
    inputs: inputs.map(([name, datatype]) => ({
      name,
      datatype,
      shape: [1],
      data: [EVENT[name as keyof typeof EVENT]],
    })),
  });
  const { status, text } = await signedCall(cloud, new URL(`/v2/models/${MODEL}/infer`, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  if (status !== 200) return { status, digest: text, probability: undefined };
  const answer = Answer.parse(JSON.parse(text));
  return { status, digest: answer.parameters.digest, probability: answer.outputs[0]?.data[0] };
}

/** Asks while something goes on, and once more: the answers, of which none may be an error. */
async function askingWhile(work: Promise<unknown>): Promise<readonly string[]> {
  const digests: string[] = [];
  const going = new Set([work]);
  const over = work.finally(() => going.clear());
  // An answer that is an error says more than what else it brings about.
  over.catch(() => undefined);
  while (going.size > 0) {
    const { status, digest } = await asked();
    expect(status, digest).toBe(200);
    digests.push(digest);
  }
  await over;
  return digests;
}

/** Waits until the endpoint answers from a release; a reading of the pointer is five seconds old at most. */
const answersFrom = (wanted: Release) =>
  eventually(`answers of ${wanted.version}`, async () => {
    const answer = await asked();
    expect(answer.status, answer.digest).toBe(200);
    return answer.digest === wanted.release ? answer : undefined;
  });

test('one command shows where the endpoint is, and one gets an answer from the release that the pointer names', async () => {
  const Shown = z.object({ url: z.string(), ready: z.boolean(), inputs: z.array(z.object({ name: z.string() })) });
  const shown = await eventually('the endpoint to be ready', async () => {
    const found = await journey.run(Shown, ['endpoint', 'show', MODEL, ...ENV]);
    return found.ready ? found : undefined;
  });
  url = new URL(shown.url);
  expect(shown.inputs.map(({ name }) => name).toSorted()).toEqual(Object.keys(EVENT).toSorted());
  const file = join(journey.cloud.home, 'event.json');
  await writeFile(file, JSON.stringify(EVENT));
  const answer = await journey.run(Answer, ['endpoint', 'ask', MODEL, ...ENV, '--event', file]);
  expect(answer).toMatchObject({
    model_version: baseline.version,
    parameters: { digest: baseline.release, aggregates_until: '2026-01-26' },
  });
});

test('the smoke test sends the golden request that the served release holds', async () => {
  const Smoke = z.object({ checks: z.array(z.object({ check: z.string(), found: z.string().nullish() })) });
  const { checks } = await journey.run(Smoke, ['smoke-test', ...ENV]);
  expect(checks).toContainEqual(expect.objectContaining({ check: `endpoint of ${MODEL}` }));
});

test('a call that is not signed, and what the model does not take, is refused', async () => {
  expect(
    (await call(new URL(`/v2/models/${MODEL}`, url), { method: 'GET', headers: {} })).status,
  ).toBeGreaterThanOrEqual(400);
  const file = join(journey.cloud.home, 'bad.json');
  const refused = async (event: object) => {
    await writeFile(file, JSON.stringify(event));
    return journey.refused(['endpoint', 'ask', MODEL, ...ENV, '--event', file]);
  };
  expect((await refused({ ...EVENT, paid_at: null })).found).toMatch(/^422: input-nulls: input paid_at/);
  expect((await refused({ ...EVENT, amount: 'much' })).found).toMatch(/^422: input-values: input amount/);
  expect((await refused({ ...EVENT, paid_at: '2019-05-05T10:00:00Z' })).found).toMatch(/event-day-served/);
  expect(await journey.refused(['endpoint', 'show', MODEL, '--env', 'dev']).catch(() => 'usage')).toBe('usage');
});

test('no request fails while the pointer is switched and rolled back, and each answer is of one of the two releases', async () => {
  const promoted = await askingWhile(letIntoProd(journey, release));
  const { probability } = await answersFrom(release);
  expect(probability).toBeGreaterThan(0);
  const back = await askingWhile(
    journey
      .run(z.unknown(), ['rollback', MODEL, ...ENV, '--reason', 'a drill', '--yes'])
      .then(() => serves(journey, 'prod', baseline)),
  );
  await answersFrom(baseline);
  const all = [...promoted, ...back];
  expect(all.length).toBeGreaterThan(20);
  expect(new Set(all)).toEqual(new Set([baseline.release, release.release]));
});

test('what exists keeps every invariant', async () => {
  expect(await journey.fsck()).toEqual([]);
});
