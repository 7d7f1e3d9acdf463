import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApprovalRequest } from '#domain/control/request.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { findRequest } from '#cli/commands/promotion/decide.ts';
import { answerOf } from '#cli/control/api.ts';
import { call } from '#adapters/http-call.ts';
import { readSession, type Session, sessionFile, writeSession } from '#cli/control/session.ts';

const session: Session = {
  formatVersion: 1,
  username: 'lea',
  apiUrl: 'http://api.execute-api.localhost:4566',
  clientId: 'client',
  region: 'us-east-1',
  idToken: 'id',
  refreshToken: 'refresh',
  expiresAt: '2026-03-02T10:00:00.000Z',
};

describe('a session', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-session-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is kept so that nobody else can read it', async () => {
    const file = join(folder, 'deep', 'session.json');
    expect(await readSession(file)).toBeUndefined();
    await writeFile(join(folder, 'other'), '');
    await writeSession(file, session);
    expect(await readSession(file)).toEqual(session);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('that is damaged says so, and what to do', async () => {
    const file = join(folder, 'session.json');
    await writeFile(file, '{"formatVersion":1}');
    await expect(readSession(file)).rejects.toThrow('sign in again: gatehouse login');
  });

  it('lies with the local cloud, or in the user’s own configuration', () => {
    expect(sessionFile('/home', true, {})).toBe('/home/session.json');
    expect(sessionFile('/home', false, { GATEHOUSE_HOME: '/home' })).toBe('/home/session.json');
    expect(sessionFile('/home', false, { XDG_CONFIG_HOME: '/config' })).toBe('/config/gatehouse/session.json');
  });
});

describe('control’s answers', () => {
  it('become results, refusals, or faults', () => {
    expect(answerOf({ status: 200, text: '{"seq":3}' })).toEqual({ seq: 3 });
    const refusal = { rule: 'approval-role', found: 'person:eve is risk', remedy: 'let another decide' };
    expect(() => answerOf({ status: 403, text: JSON.stringify({ refusal }) })).toThrow(
      'approval-role: person:eve is risk',
    );
    expect(() => answerOf({ status: 401, text: '{"message":"Unauthorized"}' })).toThrow(
      'signed-in: the token is not accepted',
    );
    expect(() => answerOf({ status: 500, text: 'Internal Server Error' })).toThrow(
      'control answered 500: Internal Server Error',
    );
  });

  it('come from this machine where the name says localhost, whatever the resolver knows', async () => {
    const server = createServer((request, response) =>
      response.end(`${request.headers.host} ${request.method} ${request.url}`),
    );
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const answer = await call(new URL(`http://abc.execute-api.localhost:${port}/requests?model=m`), {
        method: 'GET',
        headers: {},
      });
      expect(answer).toEqual({ status: 200, text: `abc.execute-api.localhost:${port} GET /requests?model=m` });
    } finally {
      server.close();
    }
    await expect(call(new URL(`http://127.0.0.1:${port}/`), { method: 'GET', headers: {} })).rejects.toMatchObject({
      code: 'API_UNREACHABLE',
    });
  });
});

const request = (promotion: string, status: ApprovalRequest['status'] = 'waiting'): ApprovalRequest => ({
  formatVersion: 1,
  model: 'm',
  promotion,
  environment: 'prod',
  status,
  release: digestOf('r'),
  transition: 'prod',
  version: '1.0.0',
  policy: digestOf('p'),
  evidence: digestOf('e'),
  approvals: [],
  requestedBy: 'person:eng',
  requestedAt: '2026-03-02T09:00:00.000Z',
  expiresAt: '2026-03-02T10:00:00.000Z',
  summary: [],
  requestHash: digestOf('h'),
  isNoticed: true,
  ending: null,
});

describe('findRequest', () => {
  const requests = [
    request('m-0a1-prod-1'),
    request('m-0a1-prod-12'),
    request('m-0b2-prod-3'),
    request('m-0b2-prod-1', 'refused'),
  ];

  it('takes a whole name, or the beginning of one that waits', () => {
    expect(findRequest(requests, 'm-0a1-prod-1').promotion).toBe('m-0a1-prod-1');
    expect(findRequest(requests, 'm-0b2').promotion).toBe('m-0b2-prod-3');
    expect(findRequest(requests, 'm-0b2-prod-1').status).toBe('refused');
  });

  it('refuses what is unknown or unclear, and names what waits', () => {
    expect(() => findRequest(requests, 'm-0c')).toThrow('approval-requested: no approval was requested of m-0c');
    expect(() => findRequest(requests, 'm-0a')).toThrow('promotion-unique: m-0a begins 2 promotions');
  });
});
