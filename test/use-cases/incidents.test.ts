import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '#domain/audit/events.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { findIncident, readIncidents } from '#read-model/incidents.ts';
import { followSignals } from '#use-cases/incidents/follow-signals.ts';
import { switchPointer } from '#use-cases/rollback/switch-pointer.ts';
import { hours, MODEL } from './_environments.ts';
import { rollBack } from './_machine.ts';
import { fresh, incidentScene, type IncidentScene, NAME } from './_incidents.ts';

let here: IncidentScene['here'];
let prod: IncidentScene['prod'];
let tend: IncidentScene['tend'];
let open: IncidentScene['open'];
let said: IncidentScene['said'];
let rolledBack: IncidentScene['rolledBack'];
beforeEach(async () => {
  ({ here, prod, tend, open, said, rolledBack } = await incidentScene());
});

const refusedDay = (day: string, seq = 0, own: Pick<IncidentScene['prod'], 'says'> = prod) =>
  own.says({
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
    fresh(),
  );

const ALARM = {
  alarm: 'errors-toy',
  kind: 'errors',
  epoch: 3,
  policy: digestOf('policy'),
  found: 'many errors',
  values: { failed: 9 },
} as const;

const partial = {
  code: 'ROLLBACK_VERIFIED',
  actor: 'pipeline:release',
  release: null,
  details: { rollback: 'r-1', result: 'PARTIAL', found: 'the old release answers' },
} as const;

const paged: AuditEvent = {
  code: 'ROLLBACK_NOT_TRIGGERED',
  actor: 'pipeline:alarms',
  release: null,
  details: { ...ALARM, verdict: 'page' },
};

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
    await prod.says(partial);
    await tend();
    expect((await findIncident(prod.ledger, MODEL, NAME))?.parts.map(({ part }) => part)).toEqual([
      'predictions',
      'serving',
    ]);
    expect(await open()).toHaveLength(1);
  });

  it('is another one of an epoch in which an alarm pages, and what the verification finds late stays with its rollback', async () => {
    await rolledBack();
    await prod.says(paged);
    await prod.says(partial);
    await tend();
    const parts = (await open()).map(({ incident, parts: all }) => [incident, all.map(({ part }) => part)]);
    expect(Object.fromEntries(parts)).toEqual({
      [NAME]: ['predictions', 'serving'],
      [`${MODEL}-prod-rollback-3`]: ['release'],
    });
  });

  it('is open while a rollback is triggered and has not switched, and that part ends when it has', async () => {
    const { release } = await here.letIn('bad');
    await prod.says({
      ...paged,
      code: 'ROLLBACK_TRIGGERED',
      details: { ...ALARM, epoch: 2, rollback: 'r-1' },
    });
    await tend();
    expect(await open()).toMatchObject([{ status: 'open', parts: [{ part: 'release', resolution: null }] }]);
    await rollBack(prod, { rollback: 'r-1', from: release });
    await tend();
    expect((await open())[0]?.parts).toMatchObject([
      { part: 'release', resolution: 'recovered' },
      { part: 'predictions', resolution: 'recomputed' },
    ]);
  });

  it('is none of a rollback that somebody else was quicker with', async () => {
    await rolledBack();
    const details = { rollback: 'r-2', rule: 'rollback-epoch', found: 'another epoch' } as const;
    await prod.says({ code: 'ROLLBACK_REFUSED', actor: 'pipeline:release', release: null, details });
    await tend();
    expect((await open()).map(({ incident }) => incident)).toEqual([NAME]);
  });

  it('is not ended by a recovery that is read again after what came later', async () => {
    await prod.says(readiness('not-ready'));
    await prod.says(readiness('ready'));
    here.clock.at += 1000;
    await prod.says(readiness('not-ready'));
    await tend();
    expect(await open()).toMatchObject([{ status: 'open', signals: 2 }]);
    // Its reading broke off before it was kept how far it had come.
    await prod.ledger.transact(
      [{ kind: 'put', item: { ...keys.cursor('incidents', MODEL), seq: -1, epoch: 0, historyBefore: null } }],
      'broken off',
    );
    await tend();
    expect(await open()).toMatchObject([{ status: 'open', signals: 2 }]);
  });

  it('lists two hundred parts, and what is beyond is ended by people only', async () => {
    const days = (first: number) => Array.from({ length: 40 }, (_, day) => `day ${first + day}`);
    for (let first = 0; first < 240; first += 40)
      await prod.says({
        code: 'PREDICTIONS_BLOCKED',
        actor: 'pipeline:prediction-store',
        release: null,
        details: { run: `r-${first}`, rule: 'partition-day', found: 'no', remedy: 'r', days: days(first), count: 41 },
      });
    await tend();
    const [incident] = await open();
    expect(incident?.parts).toHaveLength(200);
    // Forty-one days that are beyond two hundred with the one that is the rest, and one of each record that it did not name.
    expect(incident?.parts.at(-1)).toMatchObject({
      part: 'more',
      what: expect.stringMatching(/^47 more/),
      resolution: null,
    });
    expect(incident?.status).toBe('open');
  });

  it('notifies the first role again when all of it was settled and some of it is wrong anew', async () => {
    await prod.says(readiness('not-ready'));
    await prod.says(readiness('ready'));
    await tend();
    const [incident] = await open();
    expect(incident).toMatchObject({ status: 'mitigated' });
    here.clock.at += 1000;
    await prod.says(readiness('not-ready'));
    await tend();
    const joined = await said('INCIDENT_JOINED');
    expect(joined.at(-1)?.details).toMatchObject({ reopened: 'yes', role: 'ml-engineer', status: 'open' });
  });

  it('says what an emoji says, where its reason is cut in the middle of one', async () => {
    const { release } = await here.letIn('bad');
    await rollBack(prod, { rollback: 'r-1', from: release, reason: `${'x'.repeat(299)}\u{1F600} and more` });
    await tend();
    here.clock.at += hours(2);
    await tend();
    expect(await said('INCIDENT_ESCALATED')).toHaveLength(1);
  });

  it('is none of what is old, however often the first reading begins', async () => {
    for (let day = 10; day < 30; day += 1) await refusedDay(`2001-01-${day}`, day);
    here.clock.at += hours(25);
    const head = (await prod.chain()).length - 1;
    await prod.ledger.transact(
      [
        {
          kind: 'put',
          item: {
            ...keys.cursor('incidents', MODEL),
            seq: head - 10,
            epoch: 1,
            historyBefore: new Date(here.clock.at - hours(24)).toISOString(),
          },
        },
      ],
      'half',
    );
    await tend();
    expect(await open()).toEqual([]);
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
    const staging = { ...here.staging, deployed: prod.deployed };
    await refusedDay('2001-01-26', 0, staging);
    await tend(null, staging);
    expect(await readIncidents(staging.ledger, MODEL)).toEqual([]);
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
