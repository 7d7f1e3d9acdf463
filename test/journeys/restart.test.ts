import { afterAll, beforeAll, expect, test } from 'vitest';
import { Promotion } from '#domain/promotion/promotion.ts';
import { keys } from '#domain/ledger/keys.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { startLocalCloud, stopLocalCloud } from '#local/emulator/cloud.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import { approve, askForProd, letIntoProd, offeredRelease, type Release } from './_lifecycle.ts';

let journey: Journey;
let release: Release;

beforeAll(async () => {
  journey = await openJourney('candidate');
  release = await offeredRelease(journey);
});
afterAll(() => journey[Symbol.asyncDispose]());

/** What a person does overnight: `local down`, and `local up` in the morning. */
async function restart(): Promise<void> {
  const { home, controlAccount } = journey.cloud;
  await stopLocalCloud(home);
  await startLocalCloud({ home, controlAccount, waitScale: 0.05, owner: process.pid });
}

test('a promotion that waits for approval while the cloud stops is ended with the reason, whoever had approved', async () => {
  const promotion = await askForProd(journey, release);
  await approve(journey, promotion, 'lena');
  await restart();
  const ended = await eventually('the promotion to end', async () => {
    const item = await journey.account('prod').ledger.get(keys.promotion(MODEL, promotion));
    const found = item === undefined ? undefined : withoutKey(Promotion, item);
    return found?.status === 'awaiting-approval' ? undefined : found;
  });
  expect(ended).toMatchObject({ status: 'failed', ending: expect.stringMatching(/FAILED.*service restarted/i) });
  // Control hears of it, and says so to whoever would approve now.
  await eventually('control to hear of it', async () => {
    const request = await journey.account('control').ledger.get(keys.request(MODEL, promotion));
    return request?.['status'] === 'waiting' ? undefined : true;
  });
  const refusal = await journey.refused(['approve', promotion], 'paul');
  expect(`${refusal.rule} ${refusal.found}`).toMatch(/service restarted/i);
});

test('accounts hear each other after a restart: what is requested anew is approved and promoted', async () => {
  await letIntoProd(journey, release);
});
