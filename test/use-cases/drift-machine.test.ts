import { beforeEach, describe, expect, it } from 'vitest';
import { textOf } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readPointer } from '#read-model/pointer.ts';
import { DIFFERENT, HEALTHY, lost, moved } from '#test/domain/drift/_evidence.ts';
import { rollBack } from './_machine.ts';
import { scene } from './_scene.ts';
import { MODEL, publishRecords } from './_environments.ts';
import { here, prod, begin, serve, check, planOf, checked } from './_drift.ts';
import { day } from './_watched.ts';

beforeEach(begin);

describe('what a check says', () => {
  it('records that all is stable, emits its numbers, and tells nobody', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(11));
    const { ending, metrics } = await check(day(12), { concept: { ...HEALTHY.concept, live: lost(0.44, 7) } });
    expect(ending).toBe('Stable');
    expect((await checked())[0]).toMatchObject({
      status: 'stable',
      inputs: 'stable',
      concept: 'stable',
      disagreement: 'none',
      parity: 'same',
      day: day(11),
      worst: { input: 'y', index: 0.02 },
      limit: 0.1,
    });
    expect(metrics).toEqual([[{ environment: 'prod', model: MODEL }, { StableInputIndex: 0.02 }]]);
    const item = await prod.ledger.get(keys.run(MODEL, `drift-${day(12)}`));
    // From plan to judgement, as `run list` shows it.
    if (item === undefined) throw new Error('the run is not recorded');
    const lasted = Date.parse(textOf(item, 'endedAt')) - Date.parse(textOf(item, 'startedAt'));
    expect(lasted).toBe(20 * 60_000);
    expect(item).toMatchObject({
      machine: 'drift',
      status: 'stable',
      drift: { limits: { index: 0.1 }, inputs: { measured: [{ input: 'x' }, { input: 'y' }, { input: 'rate' }] } },
    });
    await publishRecords(prod, MODEL);
    expect(prod.announcements.alerted.map(({ code }) => code)).not.toContain('DRIFT_CHECKED');
  });

  it.each([
    ['Drifted', { stability: { measure: moved({ x: 0.38, y: 0 }), reason: '' } }],
    ['Skewed', { parity: DIFFERENT }],
    ['Insufficient', { stability: { measure: null, reason: 'no predictions of a fresh day are published' } }],
  ] as const)('ends in %s, and tells people', async (ending, found) => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(1));
    const done = await check(day(2), found);
    expect(done.ending).toBe(ending);
    const record = (await prod.chain()).at(-1);
    expect(record).toMatchObject({
      code: 'DRIFT_CHECKED',
      details: { status: ending.toLowerCase(), concept: 'pending' },
    });
    await publishRecords(prod, MODEL);
    expect(prod.announcements.alerted.at(-1)).toEqual(record);
    const index = { Drifted: [0.38], Skewed: [0.02], Insufficient: [] }[ending];
    expect(done.metrics.map(([, values]) => values)).toEqual(index.map((StableInputIndex) => ({ StableInputIndex })));
  });

  it('is insufficient for a baseline, whose loss nobody has measured', async () => {
    await serve(here.baseline, day(0), day(11));
    expect((await check(day(12))).ending).toBe('Insufficient');
    expect((await checked())[0]).toMatchObject({ inputs: 'stable', concept: 'insufficient' });
  });

  it('says why the loss could not be measured', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(11));
    const concept = { ...HEALTHY.concept, live: null };
    await check(day(12), { concept, unmeasured: 'predictions of 2001-04-02: inputs-built: no features' });
    const record = (await prod.chain()).at(-1);
    expect(record?.details).toMatchObject({
      concept: 'insufficient',
      reasons: expect.arrayContaining(['not measured: predictions of 2001-04-02: inputs-built: no features']),
    });
  });

  it('knows the promotion of what came back by a rollback', async () => {
    const { release, name } = await here.letIn('second');
    const { release: third } = await here.letIn('third', { requestSeq: 9, version: '0.1.2' });
    await rollBack(prod, { model: MODEL, rollback: 'r', actor: 'person:op', reason: 'wrong', from: third, epoch: 3 });
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(release);
    expect(planOf(await check(day(12))).concept).toMatchObject({ promotion: name });
  });

  it('reads how far a release on probation is from its shadow, of the epoch that is served', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(1));
    const { epoch } = (await readPointer(prod.ledger, MODEL)) ?? { epoch: 0 };
    const reviewed = async (run: string, of: number, asOf: string, mean: number) => {
      const review = { disagreement: { holdout: 0.1, days: [{ day: day(1), mean }] } };
      const item = { ...keys.run(MODEL, run), run, machine: 'probation', epoch: of, asOf, status: 'wait', review };
      await prod.ledger.transact([{ kind: 'put', item }], run);
    };
    await reviewed('newest', epoch, day(2), 0.14);
    await reviewed('older', epoch, day(1), 0.1);
    await reviewed('of another epoch', epoch - 1, day(3), 0.1);
    expect((await check(day(2))).ending).toBe('Skewed');
    expect((await checked())[0]).toMatchObject({ disagreement: 'skewed', inputs: 'stable' });
  });

  it('says the same once, however often its last state is tried', async () => {
    const { release } = await here.letIn('second');
    await serve(release, day(0), day(1));
    await check(day(2));
    await check(day(2));
    expect(await checked()).toHaveLength(1);
  });

  it('looks at nothing where nothing is served, or the policy in force looks for no drift', async () => {
    const empty = here.environment('staging');
    expect((await check(day(2), {}, empty)).ending).toBe('Left unchecked');
    const other = await scene();
    await other.begin();
    const { path, document } = await check(day(2), {}, other.prod);
    expect(path.at(-1)).toBe('Left unchecked');
    expect(document['plan']).toMatchObject({ reason: 'the policy in force looks for no drift' });
  });
});
