import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '#domain/audit/events.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { RootCause } from '#domain/incident/root-cause.ts';
import { readDocument } from '#ports/documents.ts';
import { findIncident, readIncidents } from '#read-model/incidents.ts';
import { changeIncident } from '#use-cases/incidents/change-incident.ts';
import { followSignals } from '#use-cases/incidents/follow-signals.ts';
import { tendIncidents } from '#use-cases/incidents/tend-incidents.ts';
import { switchPointer } from '#use-cases/rollback/switch-pointer.ts';
import { rollBack } from './_machine.ts';
import { scene } from './_scene.ts';
import { type Environment, hours, MODEL } from './_environments.ts';

const ROOT_CAUSE = 'The producer changed the unit of a column from miles to kilometres.';
const NAME = `${MODEL}-prod-rollback-2`;
const minutes = (count: number): number => hours(count / 60);

let here: Awaited<ReturnType<typeof scene>>;
let prod: Environment;
let acts = 0;
beforeEach(async () => {
  here = await scene();
  prod = { ...here.prod, deployed: withRoles(here.prod.deployed) };
  await here.begin();
});

function withRoles(deployed: Environment['deployed']): Environment['deployed'] {
  const escalation = ['ml-engineer', 'ml-lead', 'platform'];
  return {
    ...deployed,
    models: deployed.models.map((model) => ({ ...model, definition: { ...model.definition, escalation } })),
  };
}

const tend = (model?: string) => tendIncidents(prod)({ model: model ?? null });
const act = (action: string, given: Record<string, unknown> = {}) =>
  changeIncident(prod)({
    model: MODEL,
    incident: NAME,
    act: `act-${(acts += 1)}`,
    actor: 'person:ann',
    action,
    comment: '',
    part: null,
    resolution: null,
    rootCause: action === 'close' ? ROOT_CAUSE : null,
    ...given,
  });
const open = async () => (await readIncidents(prod.ledger, MODEL)).filter(({ status }) => status !== 'closed');
const said = async (code: string) => (await prod.chain()).filter((record) => record.code === code);

/** A bad release is rolled back: its incident is open. */
async function rolledBack() {
  const { release } = await here.letIn('bad');
  await rollBack(prod, { rollback: 'r-1', from: release });
  return release;
}

const refusedDay = (day: string, seq = 0) =>
  prod.says({
    code: 'PARTITION_REFUSED',
    actor: 'pipeline:admission',
    release: null,
    details: { kind: 'events', day, rule: 'partition-day', found: `row ${seq} is none` },
  });

const isRefused = (day: string, resolvedAt: string | null = null) =>
  prod.ledger.transact(
    [
      {
        kind: 'put',
        item: {
          ...keys.refusal(MODEL, 'events', day),
          model: MODEL,
          kind: 'events',
          day,
          rule: 'partition-day',
          found: 'no',
          remedy: 'land it',
          since: '2026-03-02T09:00:00.000Z',
          resolvedAt,
        },
      },
    ],
    `refusal ${(acts += 1)}`,
  );

describe('an incident', () => {
  it('of a rollback is one, however often its record is read and by how many', async () => {
    const release = await rolledBack();
    await Promise.all([tend(), tend(MODEL), followSignals(prod, MODEL)]);
    await tend();
    const [incident, ...others] = await readIncidents(prod.ledger, MODEL);
    expect(others).toEqual([]);
    expect(incident).toMatchObject({ incident: NAME, epoch: 2, signals: 1, rollback: { from: release } });
    expect(await said('INCIDENT_OPENED')).toHaveLength(1);
  });

  it('is opened by who follows the chain where the rollback itself did not come to it', async () => {
    const { release } = await here.letIn('bad');
    const given = { rollback: 'r-1', actor: 'person:ann', reason: 'wrong', from: release, epoch: 2, to: null };
    await switchPointer(prod)({ model: MODEL, ...given });
    await tend();
    expect(await findIncident(prod.ledger, MODEL, NAME)).toMatchObject({
      reason: 'wrong',
      rollback: { serving: 'not verified yet' },
    });
  });

  it('is joined by what the verification finds, and by an alarm that rolled nothing back', async () => {
    await rolledBack();
    await prod.says({
      code: 'ROLLBACK_VERIFIED',
      actor: 'pipeline:release',
      release: null,
      details: { rollback: 'r-1', result: 'PARTIAL', found: 'the old release answers' },
    });
    await tend();
    expect((await findIncident(prod.ledger, MODEL, NAME))?.parts.map(({ part }) => part)).toEqual([
      'predictions',
      'serving',
    ]);
    expect(await open()).toHaveLength(1);
  });

  it('of refused days joins those of one epoch, and ends when they are admitted', async () => {
    await isRefused('2001-01-26');
    await isRefused('2001-01-27');
    await refusedDay('2001-01-26');
    await refusedDay('2001-01-27');
    await tend();
    expect(await open()).toMatchObject([{ kind: 'refused-data', status: 'open', signals: 2 }]);
    await isRefused('2001-01-26', '2026-03-02T10:00:00.000Z');
    await tend();
    expect(await open()).toMatchObject([{ status: 'open' }]);
    await isRefused('2001-01-27', '2026-03-02T10:00:00.000Z');
    await tend();
    const [incident] = await open();
    expect(incident).toMatchObject({
      status: 'mitigated',
      parts: [{ resolution: 'recovered' }, { by: 'pipeline:incidents' }],
    });
    // What is refused again is wrong again, in the same incident.
    await isRefused('2001-01-27');
    await refusedDay('2001-01-27', 1);
    await tend();
    expect(await open()).toMatchObject([{ status: 'open', signals: 3 }]);
  });

  it('is none of a day that is refused where nothing is served', async () => {
    prod = { ...here.staging, deployed: prod.deployed };
    await refusedDay('2001-01-26');
    await tend();
    expect(await readIncidents(prod.ledger, MODEL)).toEqual([]);
  });

  it('is not made of what happened long before anybody followed the chain', async () => {
    await refusedDay('2001-01-26');
    here.clock.at += hours(25);
    await tend();
    expect(await readIncidents(prod.ledger, MODEL)).toEqual([]);
  });

  it('of drift recovers by the next check that finds the inputs as they were', async () => {
    const check = (inputs: 'drifted' | 'stable') =>
      prod.says({
        code: 'DRIFT_CHECKED',
        actor: 'pipeline:gates',
        release: null,
        details: {
          run: `drift-${inputs}`,
          asOf: '2001-01-26',
          day: '2001-01-26',
          epoch: 1,
          policy: `sha256:${'0'.repeat(64)}` as const,
          status: inputs,
          inputs,
          concept: 'pending',
          disagreement: 'none',
          parity: 'same',
          worst: { input: 'x', index: 0.4 },
          limit: 0.1,
          reasons: inputs === 'drifted' ? ['x has moved'] : [],
          measures: { stability: null, concept: null },
        },
      });
    await check('drifted');
    await tend();
    expect(await open()).toMatchObject([{ kind: 'drift', status: 'open', reason: 'x has moved' }]);
    await check('stable');
    await tend();
    expect(await open()).toMatchObject([{ status: 'mitigated' }]);
  });
});

const base = { actor: 'pipeline:supervisor', release: null } as const;
const readiness = (status: 'ready' | 'not-ready'): AuditEvent => ({
  ...base,
  code: 'ROLLBACK_READINESS_CHECKED',
  details: { run: status, status, version: '0.1.0', epoch: 1, conditions: [], reasons: ['an object is missing'] },
});
const missed: AuditEvent = {
  ...base,
  code: 'SCHEDULE_MISSED',
  details: {
    schedule: `drift-${MODEL}`,
    expression: 'rate(1 day)',
    timezone: 'UTC',
    expectedAt: '2026-03-02T08:00:00.000Z',
    runs: 1,
    lastRunAt: null,
  },
};
const object = 'gatehouse-prod-lake/objects/1';

describe('what operations notice', () => {
  it.each<[string, AuditEvent, () => Promise<unknown>]>([
    ['rollback-readiness', readiness('not-ready'), () => prod.says(readiness('ready'))],
    [
      'integrity',
      {
        ...base,
        code: 'INTEGRITY_FAILED',
        details: { object, finding: 'missing', found: 'no object', affects: ['0.1.1'] },
      },
      () =>
        prod.says({
          ...base,
          code: 'INTEGRITY_RESTORED',
          details: { object, since: '2026-03-02T09:00:00.000Z', found: 'it is whole' },
        }),
    ],
    [
      'missed-run',
      missed,
      () =>
        prod.ledger.transact(
          [{ kind: 'put', item: { ...keys.heartbeat(MODEL, `drift-${MODEL}`), at: '2026-03-02T10:00:00.000Z' } }],
          'heartbeat',
        ),
    ],
  ])('opens an incident of %s, which recovers by what comes after', async (kind, event, recover) => {
    await prod.says(event);
    await tend();
    expect(await open()).toMatchObject([{ kind, status: 'open' }]);
    await recover();
    await tend();
    expect(await open()).toMatchObject([{ kind, status: 'mitigated', parts: [{ resolution: 'recovered' }] }]);
  });
});

describe('escalation', () => {
  it('notifies one role after the other, and then the last each day, until somebody acknowledges', async () => {
    await rolledBack();
    const roles = async () => (await said('INCIDENT_ESCALATED')).map(({ details }) => details['role']);
    await tend();
    expect(await roles()).toEqual([]);
    here.clock.at += minutes(61);
    await Promise.all([tend(), tend()]);
    here.clock.at += minutes(61);
    await tend();
    expect(await roles()).toEqual(['ml-lead', 'platform']);
    here.clock.at += minutes(61);
    await tend();
    expect(await roles()).toHaveLength(2);
    here.clock.at += hours(24);
    await tend();
    expect(await roles()).toEqual(['ml-lead', 'platform', 'platform']);
    expect(await act('acknowledge', { comment: 'looking' })).toMatchObject({ status: 'done' });
    here.clock.at += hours(48);
    await tend();
    expect(await roles()).toHaveLength(3);
  });

  it('reminds of the root cause before it is due, and each day after, and makes good none that was missed', async () => {
    await rolledBack();
    await act('acknowledge');
    here.clock.at += hours(25);
    await tend();
    expect((await said('ROOT_CAUSE_DUE')).map(({ details }) => details['isOverdue'])).toEqual([false]);
    here.clock.at += hours(100);
    await tend();
    await tend();
    expect((await said('ROOT_CAUSE_DUE')).map(({ details }) => details['isOverdue'])).toEqual([false, true]);
  });

  it('goes on for a model that was removed, by the roles that were named when it was opened', async () => {
    await rolledBack();
    await tend();
    prod = { ...prod, deployed: { ...prod.deployed, models: [] } };
    here.clock.at += minutes(61);
    await tend();
    expect((await said('INCIDENT_ESCALATED')).map(({ details }) => details['role'])).toEqual(['ml-lead']);
    expect(await act('acknowledge')).toMatchObject({ status: 'done' });
  });
});

describe('what a person does with an incident', () => {
  it('is refused where it is unknown, or by who is no person', async () => {
    await rolledBack();
    expect(await act('acknowledge', { incident: 'other' })).toMatchObject({ refusal: { rule: 'incident-known' } });
    expect(await act('acknowledge', { actor: 'pipeline:gates' })).toMatchObject({
      refusal: { rule: 'actor-verified' },
    });
  });

  it('closes it when every part has ended, once, with its root cause', async () => {
    await rolledBack();
    expect(await act('close')).toMatchObject({
      refusal: { rule: 'incident-parts', found: 'open: predictions' },
    });
    const settle = (given: object) => act('settle', { part: 'predictions', comment: 'nobody read them', ...given });
    expect(await settle({ part: 'other', resolution: 'accepted' })).toMatchObject({
      refusal: { rule: 'incident-part-known' },
    });
    expect(await settle({ resolution: 'accepted' })).toMatchObject({ is: 'mitigated' });
    expect(await settle({ resolution: 'withdrawn' })).toMatchObject({ refusal: { rule: 'incident-part-open' } });
    const [first, second] = await Promise.all([act('close'), act('close', { actor: 'person:bob' })]);
    const refused = [first, second].filter((answer) => 'refusal' in answer);
    expect(refused).toMatchObject([{ refusal: { rule: 'incident-open' } }]);
    const [closed] = await said('INCIDENT_CLOSED');
    const incident = await findIncident(prod.ledger, MODEL, NAME);
    expect(incident?.closed).toMatchObject({ by: closed?.actor, rootCause: closed?.details['rootCause'] });
    expect(incident?.parts).toMatchObject([{ resolution: 'accepted', by: 'person:ann', reason: 'nobody read them' }]);
    const written = await readDocument(prod.documents, RootCause, incident?.closed?.rootCause ?? digestOf('nothing'));
    expect(written.text).toBe(ROOT_CAUSE);
  });

  it('is done once, although its answer got lost', async () => {
    await rolledBack();
    await act('acknowledge', { act: 'same', actor: 'person:ann' });
    await act('acknowledge', { act: 'other', actor: 'person:bob' });
    expect(await act('acknowledge', { act: 'same', actor: 'person:ann' })).toMatchObject({ status: 'done' });
    expect((await findIncident(prod.ledger, MODEL, NAME))?.acknowledged?.by).toBe('person:bob');
  });

  it.each([
    ['nothing', ''],
    ['blanks', ' \n '],
    ['a word', 'data'],
    ['more than 64 KB', 'ä'.repeat(40_000)],
    ['no text', `${ROOT_CAUSE}\0`],
  ])('is no root cause where it is %s', async (_, rootCause) => {
    await rolledBack();
    expect(await act('close', { rootCause })).toMatchObject({ refusal: { rule: 'root-cause' } });
  });

  it('takes predictions for recomputed only when none is of the bad release', async () => {
    const release = await rolledBack();
    const manifest = manifestOf(release);
    await prod.ledger.transact([{ kind: 'put', item: manifest }], 'manifest');
    const recompute = () => act('settle', { part: 'predictions', resolution: 'recomputed', comment: 'done' });
    expect(await recompute()).toMatchObject({ refusal: { rule: 'incident-recomputed' } });
    await prod.ledger.transact([{ kind: 'put', item: manifestOf(here.baseline) }], 'repaired');
    await tend();
    expect((await findIncident(prod.ledger, MODEL, NAME))?.parts).toMatchObject([
      { resolution: 'recomputed', by: 'pipeline:incidents' },
    ]);
  });

  it('leaves a ledger whose chain says it all', async () => {
    await rolledBack();
    await act('acknowledge');
    await act('settle', { part: 'predictions', resolution: 'accepted', comment: 'as agreed' });
    await act('close');
    expect(await prod.codes()).toEqual(
      expect.arrayContaining(['INCIDENT_OPENED', 'INCIDENT_ACKNOWLEDGED', 'INCIDENT_PART_SETTLED', 'INCIDENT_CLOSED']),
    );
    // After it was closed, the same is another incident.
    await refusedDay('2001-01-26');
    await tend();
    expect(await open()).toMatchObject([{ incident: `${MODEL}-prod-refused-data-3` }]);
  });

  it('is possible on an incident that the first version of a rollback has written', async () => {
    const release = await rolledBack();
    const first = {
      ...keys.incident(MODEL, NAME),
      incident: NAME,
      status: 'open',
      rollback: 'r-0',
      reason: 'wrong',
      from: release,
      release: here.baseline,
      serving: 'verified',
      days: [],
      rows: 0,
      openedAt: '2026-03-01T09:00:00.000Z',
    };
    await prod.ledger.transact([{ kind: 'put', item: first }], 'first');
    expect(await act('acknowledge')).toMatchObject({ is: 'acknowledged' });
    expect(await findIncident(prod.ledger, MODEL, NAME)).toMatchObject({ formatVersion: 2, seq: 1, epoch: 0 });
  });
});

/** What says that a day's predictions are of a release. */
function manifestOf(release: string) {
  const digest = `sha256:${'0'.repeat(64)}`;
  return {
    ...keys.prediction(MODEL, '2001-01-25'),
    formatVersion: 1,
    model: MODEL,
    day: '2001-01-25',
    features: digest,
    release,
    scorer: digest,
    schema: digest,
    object: { bucket: 'lake', key: 'k', versionId: 'v', sha256: digest, size: 1 },
    rows: 1,
    lineage: null,
    run: 'run',
    epoch: 2,
    publishedAt: '2026-03-02T09:00:00.000Z',
  };
}
