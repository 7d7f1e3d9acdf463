import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { RootCause } from '#domain/incident/root-cause.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readDocument } from '#ports/documents.ts';
import { findIncident } from '#read-model/incidents.ts';
import { hours, MODEL } from './_environments.ts';
import { incidentScene, type IncidentScene, NAME, ROOT_CAUSE } from './_incidents.ts';

const minutes = (count: number): number => hours(count / 60);

let here: IncidentScene['here'];
let prod: IncidentScene['prod'];
let tend: IncidentScene['tend'];
let act: IncidentScene['act'];
let open: IncidentScene['open'];
let said: IncidentScene['said'];
let rolledBack: IncidentScene['rolledBack'];
beforeEach(async () => {
  ({ here, prod, tend, act, open, said, rolledBack } = await incidentScene());
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
    here.clock.at += minutes(61);
    await tend(null, { ...prod, deployed: { ...prod.deployed, models: [] } });
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
  });

  it('ends an incident for good: the same that happens again is another one', async () => {
    const late = (day: string) =>
      prod.says({
        code: 'PREDICTIONS_OVERDUE',
        actor: 'schedule:service-level',
        release: null,
        details: { hours: 24, days: [day], count: 1, newest: null, causes: [] },
      });
    await late('2001-01-26');
    await tend();
    const [first] = await open();
    const { incident = '' } = first ?? {};
    await act('settle', { incident, part: 'predictions 2001-01-26', resolution: 'accepted', comment: 'as agreed' });
    await act('close', { incident });
    await late('2001-01-27');
    await tend();
    expect(await open()).toMatchObject([{ incident: `${incident}-2`, status: 'open' }]);
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
