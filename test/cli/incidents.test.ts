import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run as close } from '#cli/commands/incident/close.ts';
import { run as list } from '#cli/commands/incident/list.ts';
import { metricPicture } from '#cli/commands/incident/picture.ts';
import { decisionLines } from '#cli/commands/incident/postmortem.ts';
import { run as show } from '#cli/commands/incident/show.ts';
import type { Context } from '#cli/context.ts';
import { changeIncident } from '#use-cases/incidents/change-incident.ts';
import { tendIncidents } from '#use-cases/incidents/tend-incidents.ts';
import { rollBack } from '../use-cases/_machine.ts';
import { hours, MODEL } from '../use-cases/_environments.ts';
import { scene } from '../use-cases/_scene.ts';
import { testContext } from './_context.ts';

const NAME = `${MODEL}-prod-rollback-2`;
let here: Awaited<ReturnType<typeof scene>>;
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'gatehouse-incident-'));
  here = await scene();
  await here.begin();
  const { release } = await here.letIn('bad');
  await rollBack(here.prod, { rollback: 'r-1', from: release });
  await tendIncidents(here.prod)({ model: null });
});
afterEach(() => rm(home, { recursive: true }));

/** A command with prod as the scene has it. */
async function typed(run: (context: Context) => Promise<void>, given: Readonly<Record<string, unknown>>, env?: string) {
  const test = testContext(given, { ...(env === undefined ? {} : { env }), home, outputs: {} });
  await run({
    ...test.context,
    now: here.clock.now,
    cloud: (environment) => {
      const cloud = test.context.cloud(environment);
      return environment === 'prod' ? Object.assign(cloud, { ledger: here.prod.ledger }) : cloud;
    },
  });
  return { text: test.text(), data: JSON.parse(test.text('json')) as Record<string, unknown> };
}

const act = (given: object) =>
  changeIncident(here.prod)({
    model: MODEL,
    incident: NAME,
    act: JSON.stringify(given),
    actor: 'person:ann',
    action: 'acknowledge',
    comment: 'looking',
    part: null,
    resolution: null,
    rootCause: null,
    ...given,
  });

describe('incidents', () => {
  it('are listed with who has them, until they are closed, also of a model that has no folder here', async () => {
    const { text, data } = await typed(list, {});
    expect(text).toContain(NAME);
    expect(text).toContain('nobody; notified: ml-engineer');
    expect(data['incidents']).toMatchObject([{ environment: 'prod', incident: NAME, status: 'mitigated' }]);
    await act({});
    here.clock.at += hours(49);
    expect((await typed(list, {})).text).toMatch(/person:ann +OVERDUE since/);
    await act({ action: 'close', rootCause: 'The producer changed the unit of a column.' });
    expect((await typed(list, {})).text).toContain('none is open; closed ones: --all');
    expect((await typed(list, { all: true }, 'prod')).text).toMatch(/closed .* given/);
  });

  it('are shown by the beginning of their name, with parts, blast radius and timeline', async () => {
    await act({});
    const { text, data } = await typed(show, { incident: 'toy-prod-roll' });
    expect(text).toContain(`${NAME} in prod: mitigated`);
    expect(text).toContain('person:ann has it');
    expect(text).toMatch(/predictions +recomputed +pipeline:incidents/);
    expect(text).toContain('decisions: not known: the policy names no costs');
    expect(text).toMatch(/0\.1\.1 began to be served \(epoch 2\)/);
    expect(text).toMatch(/RELEASE_ROLLED_BACK: wrong/);
    expect(text).toContain('INCIDENT_ACKNOWLEDGED: looking');
    expect(text).toContain('no picture: the model answers no requests');
    const codes = (data['timeline'] as { what: string }[]).map(({ what }) => what.split(':')[0]);
    expect(codes).not.toContain('PROMOTION_OPENED');
  });

  it('are refused where no name begins so', async () => {
    await expect(typed(show, { incident: 'other' })).rejects.toMatchObject({ refusal: { rule: 'incident-known' } });
  });

  it('are refused where two names begin so', async () => {
    await here.prod.says({
      code: 'PEER_VERIFICATION_FAILED',
      actor: 'pipeline:intake',
      release: null,
      details: { peer: 'dev', seq: 4, rule: 'record-signed', found: 'no signature' },
    });
    await tendIncidents(here.prod)({ model: null });
    await expect(typed(show, { incident: 'toy-prod' })).rejects.toMatchObject({ refusal: { rule: 'incident-unique' } });
  });

  it('have a report with the facts filled in', async () => {
    await act({});
    const file = join(home, 'postmortem.md');
    await typed(show, { incident: NAME, postmortem: true, out: file });
    const text = await readFile(file, 'utf8');
    expect(text).toContain(`# ${NAME}`);
    expect(text).toMatch(/\| acknowledged \| person:ann, 2026-/);
    expect(text).toContain('| time to acknowledge | 0.0 s |');
    expect(text).toMatch(/\| RELEASE_ROLLED_BACK: wrong \| person:op \| \d+ \|/);
    expect(text).toContain('## Root cause\n\n(Why it happened. Not who did it.)');
  });

  it.each([
    ['is empty', '', 'it is empty'],
    ['has 10 MB', 'x'.repeat(10_000_000), '10000000 bytes, more than 65536'],
  ])('are not closed by a file that %s', async (_, content, found) => {
    const rootCause = join(home, 'cause.md');
    await writeFile(rootCause, content);
    await expect(typed(close, { incident: NAME, rootCause })).rejects.toMatchObject({
      refusal: { rule: 'root-cause', found: expect.stringContaining(found) },
    });
  });

  it('are not closed while a part is open, and no execution is started', async () => {
    await here.prod.says({
      code: 'ROLLBACK_VERIFIED',
      actor: 'pipeline:release',
      release: null,
      details: { rollback: 'r-1', result: 'PARTIAL', found: 'the old release answers' },
    });
    await tendIncidents(here.prod)({ model: null });
    const rootCause = join(home, 'cause.md');
    await writeFile(rootCause, 'The producer changed the unit of a column.');
    await expect(typed(close, { incident: NAME, rootCause })).rejects.toMatchObject({
      refusal: { rule: 'incident-parts', found: 'open: serving' },
    });
  });

  it.each([
    [true, 'can be computed again'],
    [false, 'cannot be computed again: raw events are not kept'],
  ])('say of answers that no batch has, where events are kept (%s), that they %s', (keepsEvents, said) => {
    const none = { compared: 0, changed: 0, unknown: 0 };
    const lines = decisionLines({
      threshold: 0.2,
      rows: none,
      answers: { ...none, unknown: 3 },
      missing: [],
      keepsEvents,
    });
    expect(lines.join('\n')).toContain(said);
  });

  it('have a picture with the switch marked', async () => {
    const series = [0, 4, 0].map((value, minute) => ({ at: new Date(here.clock.at + minute * 60_000), value }));
    const picture = await metricPicture({
      title: NAME,
      subtitle: 'failed requests',
      series,
      switched: new Date(here.clock.at + 90_000).toISOString(),
    });
    expect(picture).toMatch(/^<svg/);
    expect(picture).toContain('rolled back');
  });
});
