import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decide } from '#use-cases/control/decide.ts';
import { approvalsApi } from '../../../lambdas/approvals/api.ts';
import { asks, control, MODEL, PROMOTION, RELEASE } from './_control.ts';

const post = { method: 'POST', headers: { 'content-type': 'application/json' } };

function client(here: ReturnType<typeof control>) {
  const api = approvalsApi(here);
  return async (username: string | undefined, path: string, body?: unknown) => {
    const claims = { 'cognito:username': username, token_use: 'id', 'cognito:groups': '[ml-lead platform]' };
    const event = { requestContext: { authorizer: username === undefined ? {} : { jwt: { claims } } } };
    const init = body === undefined ? {} : { ...post, body: typeof body === 'string' ? body : JSON.stringify(body) };
    const response = await api.request(path, init, { event });
    return { status: response.status, body: z.record(z.string(), z.unknown()).parse(await response.json()) };
  };
}

const ask = { model: MODEL, release: RELEASE, version: '1.2.0', environment: 'prod', requestId: 'request-0001' };

describe('the approvals API', () => {
  it('shows what waits and what people said', async () => {
    const here = control();
    await here.hears(asks());
    const call = client(here);
    expect(await call('eve', '/requests')).toMatchObject({
      status: 200,
      body: { requests: [{ promotion: PROMOTION }] },
    });
    expect(await call('lea', '/decisions', { model: MODEL, promotion: PROMOTION, decision: 'approve' })).toMatchObject({
      status: 201,
      body: { seq: (await here.chain()).at(-1)?.seq },
    });
    const shown = await call('eve', `/requests/${PROMOTION}?model=${MODEL}`);
    expect(shown).toMatchObject({
      status: 200,
      body: { request: { version: '1.2.0' }, decisions: [{ subject: 'person:lea' }] },
    });
  });

  it('believes the directory, not the groups of the token', async () => {
    const here = control();
    await here.hears(asks());
    const result = await client(here)('eve', '/decisions', { model: MODEL, promotion: PROMOTION, decision: 'approve' });
    expect(result).toMatchObject({ status: 403, body: { refusal: { rule: 'approval-role' } } });
  });

  it('records a request once, however often it is sent', async () => {
    const here = control();
    const call = client(here);
    expect(await call('eng', '/promotions', ask)).toMatchObject({ status: 202, body: { seq: 0 } });
    expect(await call('eng', '/promotions', ask)).toMatchObject({ status: 202, body: { seq: 0 } });
    expect((await here.chain()).map((record) => [record.code, record.actor])).toEqual([
      ['PROMOTION_REQUESTED', 'person:eng'],
    ]);
    expect(await call('eng', '/promotions', { ...ask, environment: 'staging' })).toMatchObject({
      status: 409,
      body: { refusal: { rule: 'request-id-once' } },
    });
  });

  it.each([
    ['nobody is signed in', undefined, '/requests', undefined, 401, 'signed-in'],
    ['there is no such request', 'lea', `/requests/none?model=${MODEL}`, undefined, 404, 'approval-requested'],
    ['no model is named', 'lea', '/requests/none', undefined, 422, 'well-formed'],
    ['there is no such route', 'lea', '/nothing', undefined, 404, 'route-known'],
    ['the body is not JSON', 'lea', '/decisions', '{', 422, 'well-formed'],
    ['the body lacks a field', 'lea', '/decisions', { model: MODEL }, 422, 'well-formed'],
    [
      'the decision is unknown',
      'lea',
      '/decisions',
      { model: MODEL, promotion: 'p', decision: 'maybe' },
      422,
      'well-formed',
    ],
    [
      'a role is unclear',
      'both',
      '/decisions',
      { model: MODEL, promotion: PROMOTION, decision: 'approve' },
      422,
      'approval-role-named',
    ],
    ['the asker may not ask', 'eve', '/promotions', ask, 403, 'request-role'],
    [
      'a hotfix is asked for into staging',
      'eng',
      '/promotions',
      { ...ask, environment: 'staging', hotfix: { reason: 'urgent' } },
      409,
      'hotfix-allowed',
    ],
    ['a hotfix says not why', 'eng', '/promotions', { ...ask, environment: 'prod', hotfix: {} }, 422, 'well-formed'],
    ['the model is unknown', 'eng', '/promotions', { ...ask, model: 'other' }, 404, 'model-known'],
  ])('refuses when %s', async (_, username, path, body, status, rule) => {
    const here = control();
    await here.hears(asks());
    const result = await client(here)(username, path, body);
    expect(result).toMatchObject({ status, body: { refusal: { rule } } });
    expect(await here.chain()).toEqual([]);
  });

  it('fails visibly on a fault', async () => {
    const here = control();
    const api = approvalsApi({ ...here, directory: { groupsOf: () => Promise.reject(new Error('no directory')) } });
    const claims = { 'cognito:username': 'lea', token_use: 'id' };
    const event = { requestContext: { authorizer: { jwt: { claims } } } };
    const body = JSON.stringify({ model: MODEL, promotion: PROMOTION, decision: 'approve' });
    await expect(async () => api.request('/decisions', { ...post, body }, { event })).rejects.toThrow('no directory');
    expect(
      await decide(here, 'lea', { model: MODEL, promotion: PROMOTION, decision: 'approve', comment: '' }),
    ).toMatchObject({
      kind: 'refused',
    });
  });
});
