import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Digest } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { quarantineWrite } from '#domain/promotion/quarantine.ts';
import { sessionFile, writeSession } from '#cli/control/session.ts';
import { run as lift } from '#cli/commands/quarantine/lift.ts';
import { run as list } from '#cli/commands/quarantine/list.ts';
import type { Context } from '#cli/context.ts';
import { isQuarantined } from '#read-model/quarantines.ts';
import { approvalsApi } from '../../lambdas/approvals/api.ts';
import { hours, MODEL } from '../use-cases/_environments.ts';
import { scene } from '../use-cases/_scene.ts';
import { directory, hearsControl } from '../use-cases/_voting.ts';
import { fill, testContext } from './_context.ts';

const AUTOMATIC = 'pipeline:alarms';

let here: Awaited<ReturnType<typeof scene>>;
let release: Digest;
let home: string;
let apiUrl: string;
let close: () => void;
/** Whether prod hears at once what control records. */
let isHeard: boolean;

beforeEach(async () => {
  here = await scene();
  await here.begin();
  release = (await here.candidate('bad')).release;
  isHeard = true;
  home = await mkdtemp(join(tmpdir(), 'gatehouse-quarantine-'));
  const { control, prod } = here;
  const api = approvalsApi({ ...control, directory, models: [MODEL] });
  const server = createServer((request, response) => {
    void (async () => {
      const chunks = await Array.fromAsync(request as AsyncIterable<Buffer>);
      const claims = { 'cognito:username': request.headers.authorization?.replace('Bearer ', ''), token_use: 'id' };
      const event = { requestContext: { authorizer: { jwt: { claims } } } };
      const init = { method: request.method ?? 'GET', body: Buffer.concat(chunks) };
      const answer = await api.request(request.url ?? '/', init, { event });
      if (isHeard) await hearsControl(here, prod);
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  apiUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  close = () => void server.close();
});
afterEach(async () => {
  close();
  await rm(home, { recursive: true });
});

async function quarantined(actor: string): Promise<void> {
  const at = here.clock.now().toISOString();
  const quarantine = { release, version: '0.1.1', reason: 'many errors', rollback: 'alarm-toy-2', actor, at };
  await here.prod.ledger.transact([quarantineWrite(MODEL, quarantine)], `quarantine ${actor}`);
}

/** A command as somebody runs it who is signed in, with the ledgers of the scene. */
async function as(
  username: string,
  run: (context: Context) => Promise<void>,
  given: Readonly<Record<string, unknown>>,
  changed: Partial<Context> = {},
) {
  const test = testContext(given, { env: 'prod', home });
  await fill(test.ledgerOf('dev'), [{ ...keys.version(MODEL, '0.1.1'), release }]);
  await writeSession(sessionFile(home, true, {}), {
    formatVersion: 1,
    username,
    apiUrl,
    clientId: 'client',
    region: 'us-east-1',
    idToken: username,
    refreshToken: 'refresh',
    expiresAt: new Date(here.clock.at + hours(24)).toISOString(),
  });
  await run({
    ...test.context,
    now: here.clock.now,
    cloud: (environment) => {
      const cloud = test.context.cloud(environment);
      return environment === 'prod' ? Object.assign(cloud, { ledger: here.prod.ledger }) : cloud;
    },
    ...changed,
  });
  return { text: test.text(), data: JSON.parse(test.text('json')) as Record<string, unknown>, notes: test.notes };
}

const LIFT = { release: `${MODEL}@0.1.1`, reason: 'the store was down' };

describe('quarantine lift', () => {
  it('votes, says who is missing, and with the last vote that it is lifted', async () => {
    await quarantined(AUTOMATIC);
    const first = await as('pat', lift, LIFT);
    expect(first.text).toMatch(
      /^voted as platform to lift the quarantine of toy@0\.1\.1 in prod; still missing: 1 of risk/,
    );
    expect(first.text).toContain('and only for alarm-toy-2');
    expect(first.notes.join('\n')).toContain('by pipeline:alarms: many errors');
    expect(first.data).toMatchObject({ status: 'voted', role: 'platform', missing: [{ role: 'risk', count: 1 }] });
    const second = await as('eve', lift, LIFT);
    expect(second.text).toContain('by person:pat, person:eve\npromote it again: gatehouse promote toy@0.1.1 --to prod');
    expect(second.data).toMatchObject({ status: 'lifted', lifted: { approvedBy: ['person:pat', 'person:eve'] } });
    expect(await isQuarantined(here.prod.ledger, MODEL, release)).toBe(false);
    // What is lifted is told so, to whomever.
    expect((await as('pia', lift, LIFT)).data).toMatchObject({ status: 'lifted' });
  });

  it('says so to who has voted, and records nothing', async () => {
    await quarantined(AUTOMATIC);
    await as('pat', lift, LIFT);
    const before = (await here.control.chain()).length;
    const again = await as('pat', lift, LIFT);
    expect(again.text).toContain('you have voted to lift the quarantine of toy@0.1.1 in prod already, as platform');
    expect(again.data).toMatchObject({ status: 'voted', missing: [{ role: 'risk', count: 1 }] });
    expect(await here.control.chain()).toHaveLength(before);
  });

  it('does not wait where it is not to', async () => {
    await quarantined(AUTOMATIC);
    isHeard = false;
    const sent = await as('pat', lift, LIFT, { wait: false });
    expect(sent.text).toContain('prod has not counted it yet');
    expect(sent.data).toMatchObject({ status: 'sent', role: 'platform' });
  });

  it.each([
    ['what is not quarantined', undefined, 'pat', 'quarantine-known'],
    ['what a person quarantined', 'person:op', 'pat', 'quarantine-automatic'],
    ['in a role that does not vote', AUTOMATIC, 'eng', 'approval-role'],
    ['in no role', AUTOMATIC, 'nobody', 'approval-role'],
    ['in two roles, of which none is named', AUTOMATIC, 'both', 'approval-role-named'],
  ] as const)('refuses %s', async (_, actor, who, rule) => {
    if (actor !== undefined) await quarantined(actor);
    await expect(as(who, lift, LIFT)).rejects.toMatchObject({
      refusal: { rule, found: expect.stringMatching(/./), remedy: expect.stringMatching(/./) },
    });
  });
});

describe('quarantine list', () => {
  it('shows each with its votes, and nothing of what was lifted', async () => {
    expect((await as('pat', list, { model: MODEL })).text).toContain('nothing is quarantined');
    await quarantined(AUTOMATIC);
    await as('pat', lift, LIFT);
    const { text, data } = await as('pat', list, { model: MODEL });
    expect(text).toMatch(
      /prod +toy@0\.1\.1 .* pipeline:alarms +automatically +many errors +person:pat \(platform, until/,
    );
    expect(data).toMatchObject({
      quarantines: [
        { environment: 'prod', release, version: '0.1.1', automatic: true, missing: [{ role: 'risk', count: 1 }] },
      ],
    });
    await as('eve', lift, LIFT);
    expect((await as('pat', list, { model: MODEL })).data).toEqual({ quarantines: [] });
  });

  it('says of one that was made by hand that it stays', async () => {
    await quarantined('person:op');
    expect((await as('pat', list, { model: MODEL })).text).toMatch(/person:op +by hand +many errors +none: it stays/);
  });
});
