import type { Environment } from '#domain/environment/environment.ts';
import {
  AdminRemoveUserFromGroupCommand,
  AdminSetUserPasswordCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { detailsOf } from '#domain/audit/chain.ts';
import { ApprovalRequest } from '#domain/control/request.ts';
import { type Item, type Key, withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { call } from '#adapters/http-call.ts';

import { readPromotions } from '#read-model/promotions.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Listener, listen } from './_alerts.ts';
import { type Journey, MODEL, openJourney } from './_harness.ts';
import {
  askForProd,
  offeredRelease,
  outputOf,
  recorded,
  records,
  type Release,
  serves,
  settled,
} from './_lifecycle.ts';

let journey: Journey;
let pager: Listener;
let release: Release;
/** The promotion that nora asked for, and that nobody may promote by the ways that are tried here. */
let promotion: string;

beforeAll(async () => {
  journey = await openJourney('candidate');
  pager = await listen(journey, 'prod');
  // Nora and omar hold both roles that prod asks for.
  await journey.driver.addPerson('nora', ['ml-lead', 'platform']);
  await journey.driver.addPerson('omar', ['ml-lead', 'platform']);
  release = await offeredRelease(journey);
  promotion = await askForProd(journey, release, 'nora');
});
afterAll(() => journey[Symbol.asyncDispose]());

test('who asked does not approve, whatever roles they hold', async () => {
  expect(await journey.refused(['approve', promotion, '--role', 'platform'], 'nora')).toMatchObject({
    rule: 'approval-not-by-requester',
    found: 'person:nora requested it',
  });
});

test('who holds no role that is asked does not approve', async () => {
  expect(await journey.refused(['approve', promotion], 'maya')).toMatchObject({ rule: 'approval-role' });
});

test('membership is read when somebody decides, not when they signed in', async () => {
  await journey.run(z.unknown(), ['login'], 'paul');
  const pool = await outputOf(journey, 'UserPoolId');
  const cognito = journey.account('control').aws.cognito();
  const user = { UserPoolId: pool, Username: 'paul' };
  await cognito.send(new AdminRemoveUserFromGroupCommand({ ...user, GroupName: 'platform' }));
  // Still signed in, with a token that says platform.
  const session = JSON.parse(Buffer.from((await idToken()).split('.')[1] ?? '', 'base64url').toString()) as object;
  expect(session).toMatchObject({ 'cognito:groups': ['platform'] });
  expect(await journey.refused(['approve', promotion])).toMatchObject({
    rule: 'approval-role',
    found: expect.stringContaining('person:paul is in no role'),
  });
});

test('a wrong password signs nobody in, and neither no token nor a forged one is let through', async () => {
  const pool = await outputOf(journey, 'UserPoolId');
  const cognito = journey.account('control').aws.cognito();
  const changed = { UserPoolId: pool, Username: 'paul', Password: 'Another-password-2', Permanent: true };
  await cognito.send(new AdminSetUserPasswordCommand(changed));
  expect(await journey.refused(['login'], 'paul')).toMatchObject({ rule: 'signed-in' });
  const url = new URL('/decisions', await outputOf(journey, 'ApiUrl'));
  const body = JSON.stringify({ model: MODEL, promotion, decision: 'approve' });
  const [head = '', , signature = ''] = (await idToken()).split('.');
  const claims = Buffer.from(JSON.stringify({ 'cognito:username': 'lena', token_use: 'id' })).toString('base64url');
  for (const headers of [{}, { authorization: `Bearer ${head}.${claims}.${signature}` }])
    expect((await call(url, { method: 'POST', headers, body })).status).toBe(401);
});

test('a decision about another release or other evidence than people were shown is refused', async () => {
  await journey.run(z.unknown(), ['login'], 'lena');
  const url = new URL('/decisions', await outputOf(journey, 'ApiUrl'));
  const other = `sha256:${'0'.repeat(64)}`;
  for (const shown of [{ release: other }, { evidence: other }]) {
    const answer = await call(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${await idToken()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: MODEL, promotion, decision: 'approve', ...shown }),
    });
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.text)).toMatchObject({ refusal: { rule: 'approval-bound' } });
  }
});

test('after its expiry nobody is asked any more', async () => {
  // Two days do not pass in a test: the clock stands still, and the request is older than it was.
  const restore = await replace('control', keys.request(MODEL, promotion), { expiresAt: '2026-01-01T00:00:00.000Z' });
  expect(await journey.refused(['approve', promotion], 'lena')).toMatchObject({ rule: 'approval-expired' });
  await restore();
});

test('one person decides once, in one role', async () => {
  expect(await journey.refused(['approve', promotion], 'omar')).toMatchObject({ rule: 'approval-role-named' });
  await journey.run(z.unknown(), ['approve', promotion, '--role', 'ml-lead'], 'omar');
  for (const role of ['platform', 'ml-lead']) {
    expect(await journey.refused(['approve', promotion, '--role', role], 'omar')).toMatchObject({
      rule: 'approval-once',
      found: expect.stringContaining('person:omar decided "approve" as ml-lead'),
    });
  }
  const taken = await recorded(journey, 'prod', 'APPROVAL_RECORDED');
  expect(taken.details).toMatchObject({ subject: 'person:omar', role: 'ml-lead' });
  const why = await journey.run(z.object({ missing: z.array(z.string()) }), ['why', release.release, '--to', 'prod']);
  expect(why.missing).toContain('1 of platform');
});

test('prod does not count what control should not have signed', async () => {
  // Control is made to ask about other evidence: what is signed there is not what prod has asked.
  const other = `sha256:${'0'.repeat(64)}`;
  const restore = await replace('control', keys.request(MODEL, promotion), { evidence: other });
  await journey.run(z.unknown(), ['approve', promotion], 'lena');
  const refused = await recorded(journey, 'prod', 'DECISION_REFUSED');
  expect(refused.details).toMatchObject({ promotion, subject: 'person:lena', rule: 'approval-bound' });
  expect((await pager.hears('DECISION_REFUSED')).details).toEqual(refused.details);
  await restore();
  expect((await promotionOf(promotion))?.status).toBe('awaiting-approval');
});

test('of two who ask at once one wins, and the promotion that was pushed aside is decided no more', async () => {
  const ask = ['promote', release.release, '--to', 'prod', '--no-wait'];
  await journey.run(z.unknown(), ask, 'maya');
  const { seq } = await journey.run(z.object({ seq: z.number() }), ask, 'lena');
  const newest = await eventually('people to be asked about the newest promotion', async () => {
    const all = await readPromotions(journey.account('prod').ledger, MODEL);
    return all.find(({ status, requestSeq }) => status === 'awaiting-approval' && requestSeq === seq);
  });
  const all = await readPromotions(journey.account('prod').ledger, MODEL);
  expect(all.filter(({ status }) => status === 'open' || status === 'awaiting-approval')).toEqual([newest]);
  expect((await promotionOf(promotion))?.status).toBe('superseded');
  const request = () => journey.account('control').ledger.get(keys.request(MODEL, newest.promotion));
  await eventually('control to ask', request);
  expect(await journey.refused(['approve', promotion], 'nora')).toMatchObject({
    rule: 'promotion-open',
    found: expect.stringContaining('superseded'),
  });
  for (const [person, role] of [
    ['nora', 'ml-lead'],
    ['omar', 'platform'],
  ] as const)
    await journey.run(z.unknown(), ['approve', newest.promotion, '--role', role], person);
  await serves(journey, 'prod', release);
  const promoted = (await records(journey, 'prod', 'RELEASE_PROMOTED')).at(-1);
  expect(promoted === undefined ? undefined : detailsOf(promoted, 'RELEASE_PROMOTED').approvedBy).toEqual([
    'person:nora (ml-lead)',
    'person:omar (platform)',
  ]);
  expect(await journey.refused(['approve', newest.promotion, '--role', 'platform'], 'nora')).toMatchObject({
    rule: 'approval-once',
  });
});

test('what exists keeps every invariant', async () => {
  await settled(journey);
  expect(await journey.fsck()).toEqual([]);
});

async function promotionOf(name: string) {
  return (await readPromotions(journey.account('prod').ledger, MODEL)).find((each) => each.promotion === name);
}

/** Changes some fields of an item behind everybody's back, and gives the way to undo it. */
async function replace(
  environment: Environment,
  key: Key,
  fields: Readonly<Record<string, string>>,
): Promise<() => Promise<unknown>> {
  const { ledger } = journey.account(environment);
  const item = await ledger.get(key);
  if (item === undefined) throw new Error(`${environment} has no ${key.pk} ${key.sk}`);
  expect(withoutKey(ApprovalRequest, item).status).toBe('waiting');
  const put = (content: Item, token: string) =>
    ledger.transact([{ kind: 'put', item: content }], `${token}-${Object.keys(fields).join('-')}`);
  await put({ ...item, ...fields }, 'change');
  return () => put(item, 'restore');
}

async function idToken(): Promise<string> {
  const session = await readFile(join(journey.cloud.home, 'session.json'), 'utf8');
  return z.object({ idToken: z.string() }).parse(JSON.parse(session)).idToken;
}
