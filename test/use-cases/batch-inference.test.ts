import { memoryPredictionRows } from '#adapters/memory/prediction-rows.ts';
import { isAlerting } from '#domain/audit/events.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { canonicalJson, Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { BatchPlan } from '#domain/prediction/manifest.ts';
import { TaskError } from '#local/statemachines/interpreter.ts';
import { recordExecutionEnd } from '#use-cases/recorder/record-execution-end.ts';
import { planReconciliation } from '#use-cases/inference/plan-reconciliation.ts';
import { publishPredictions } from '#use-cases/inference/publish-predictions.ts';
import { rollBack } from './_machine.ts';
import { admitDays } from './_admitted.ts';
import { bytes, MODEL, publishRecords } from './_environments.ts';
import { here, prod, begin, batch, manifests, fence, lastRecord } from './_batch-inference.ts';

beforeEach(begin);

describe('batch inference', () => {
  it('publishes the newest days of the served release, whole, with one audit record', async () => {
    const { path } = await batch('run-1');
    expect(path.at(-1)).toBe('Reported');
    expect((await manifests()).map(({ day, release, epoch, run }) => ({ day, release, epoch, run }))).toEqual(
      ['2001-01-23', '2001-01-24', '2001-01-25'].map((day) => ({
        day,
        release: here.baseline,
        epoch: 1,
        run: 'run-1',
      })),
    );
    expect(await lastRecord()).toMatchObject({
      code: 'PREDICTIONS_PUBLISHED',
      details: { run: 'run-1', kind: 'full', partitions: 3, rows: 30, epoch: 1 },
    });
    expect((await prod.codes()).filter((code) => code === 'PREDICTIONS_PUBLISHED')).toHaveLength(1);
    expect(await fence()).toMatchObject({ fence: 1, running: null });
  });

  it('publishes what can be looked up, and reports the rows that no key can hold', async () => {
    const rows = memoryPredictionRows();
    const long = 'x'.repeat(3000);
    const readRows = async () =>
      ['a', long, 'b', null].map((entity) => ({ row: `of ${entity?.slice(0, 9)}`, entity, prediction: 0.5 }));
    const { path, document } = await batch('run-1', { lookup: { rows, readRows } });
    expect(path.at(-1)).toBe('Reported');
    expect(document['report']).toMatchObject({ published: 3, unpublished: 6 });
    expect(await manifests()).toHaveLength(3);
    for (const entity of ['a', 'b']) expect(await rows.of(MODEL, entity)).toHaveLength(3);
    const told = (await prod.chain()).find(({ code }) => code === 'ROWS_NOT_PUBLISHED');
    expect(told?.details).toMatchObject({ run: 'run-1', rows: 6 });
    expect(JSON.stringify(told?.details)).toContain('2001-01-23: pk has 3008 bytes, at most 2048');
    expect(JSON.stringify(told?.details)).toContain('row of undefined has no entity');
    expect(await rows.of(MODEL, 'null')).toEqual([]);
    expect(isAlerting('ROWS_NOT_PUBLISHED', {})).toBe(true);
  });

  it('has nothing to do the second time, and says so', async () => {
    await batch('run-1');
    const before = await manifests();
    const { path } = await batch('run-2');
    expect(path).toEqual(['Plan reconciliation', 'Work to do?', 'Report idle run', 'Asked again?', 'Reported']);
    expect(await manifests()).toEqual(before);
    expect(await lastRecord()).toMatchObject({ details: { run: 'run-2', kind: 'none', partitions: 0 } });
  });

  it('does again what a correction touched, and no more', async () => {
    await batch('run-1');
    await admitDays(prod.ledger, '2001-01-25', '2001-01-25', { mark: 'corrected' });
    await batch('run-2', { text: 'corrected features' });
    expect((await manifests()).map(({ run }) => run)).toEqual(['run-1', 'run-1', 'run-2']);
    expect(await lastRecord()).toMatchObject({ details: { kind: 'partial', partitions: 1 } });
  });

  it('does everything again for a new release, and again after a rollback', async () => {
    await batch('run-1');
    const { release } = await here.letIn('better');
    await batch('run-2');
    expect(new Set((await manifests()).map((manifest) => `${manifest.release} ${manifest.epoch}`))).toEqual(
      new Set([`${release} 2`]),
    );
    await rollBack(prod, { rollback: 'rollback-1', from: release });
    await batch('rollback-1-repair');
    expect(new Set((await manifests()).map((manifest) => `${manifest.release} ${manifest.epoch}`))).toEqual(
      new Set([`${here.baseline} 3`]),
    );
  });

  it('repairs what a withdrawn release wrote, however old', async () => {
    const { release } = await here.letIn('bad');
    await batch('run-1');
    await admitDays(prod.ledger, '2001-01-26', '2001-01-30');
    await rollBack(prod, { rollback: 'rollback-1', from: release });
    await batch('rollback-1-repair');
    expect((await manifests()).map(({ day }) => day)).toEqual(
      ['23', '24', '25', '28', '29', '30'].map((day) => `2001-01-${day}`),
    );
    for (const manifest of await manifests()) expect(manifest.release).toBe(here.baseline);
  });

  it('publishes nothing of a release that was withdrawn while it ran', async () => {
    const { release } = await here.letIn('bad');
    const before = async (state: string): Promise<void> => {
      if (state === 'Publish predictions') await rollBack(prod, { rollback: 'rollback-1', from: release });
    };
    const { document } = await batch('run-1', { before });
    expect(document['publication']).toMatchObject({ status: 'withdrawn', published: 0 });
    expect(await manifests()).toEqual([]);
    expect(await prod.codes()).not.toContain('PREDICTIONS_PUBLISHED');
    await batch('rollback-1-repair');
    for (const manifest of await manifests()) expect(manifest.release).toBe(here.baseline);
  });

  it('publishes nothing by a run that a newer one has superseded', async () => {
    let superseded = false;
    const before = async (state: string): Promise<void> => {
      if (state !== 'Publish predictions' || superseded) return;
      superseded = true;
      await batch('run-2');
    };
    const { document } = await batch('run-1', { before });
    expect(document['publication']).toMatchObject({ status: 'withdrawn', failed: [`FENCE#${MODEL} BATCH`] });
    for (const manifest of await manifests()) expect(manifest.run).toBe('run-2');
    expect(await fence()).toMatchObject({ fence: 2, running: null });
  });

  it('leaves a day as it was whose predictions are refused', async () => {
    await batch('run-1');
    const before = await manifests();
    await admitDays(prod.ledger, '2001-01-25', '2001-01-25', { mark: 'corrected' });
    const { document, path } = await batch('run-2', { text: 'NaN' });
    expect(path.at(-1)).toBe('Reported');
    expect(document['publication']).toMatchObject({ status: 'published', published: 0, unscored: ['2001-01-25'] });
    expect(await manifests()).toEqual(before);
  });

  it('publishes more days than a transaction takes, also when an answer gets lost on the way', async () => {
    const { plan: named } = z
      .looseObject({ plan: Digest })
      .parse(await planReconciliation(prod)({ model: MODEL, run: 'run-1' }));
    const plan = parseCanonical(BatchPlan, await prod.documents.read(named), 'plan');
    const [pattern] = plan.partitions;
    if (pattern === undefined) throw new Error('nothing to score');
    const days = Array.from({ length: 130 }, (_, index) =>
      new Date(Date.UTC(2001, 0, 1 + index)).toISOString().slice(0, 10),
    );
    const partitions = days.map((day) => ({ ...pattern, day, predictions: digestOf(`predictions of ${day}`) }));
    for (const { predictions } of partitions)
      prod.lake.objects.set(`${MODEL}/predictions/${predictions}`, {
        content: new Uint8Array(),
        sha256: digestOf(''),
        rows: 1,
      });
    const { digest } = await prod.documents.write(bytes(canonicalJson({ ...plan, partitions })));
    let transactions = 0;
    const ledger = {
      ...prod.ledger,
      transact: async (...args: Parameters<typeof prod.ledger.transact>) => {
        const result = await prod.ledger.transact(...args);
        transactions += 1;
        if (transactions === 1) throw new Error('the answer got lost');
        return result;
      },
    };
    const publish = publishPredictions({ ...prod, ledger });
    await expect(publish({ model: MODEL, plan: digest })).rejects.toThrow('the answer got lost');
    here.clock.at += 1000;
    expect(await publish({ model: MODEL, plan: digest })).toMatchObject({ status: 'published', published: 130 });
    expect(await manifests()).toHaveLength(130);
    const records = (await prod.chain()).filter(({ code }) => code === 'PREDICTIONS_PUBLISHED');
    expect(records.map(({ details }) => [details['part'], details['parts'], details['partitions']])).toEqual([
      [1, 2, 80],
      [2, 2, 50],
    ]);
  });

  it.each([
    ['Plan reconciliation'],
    ['Build daily partition'],
    ['Build feature partition'],
    ['Score partition'],
    ['Publish predictions'],
  ])(
    'that fails in "%s" is recorded and alerted, readers keep what they had, and the next run does its work',
    async (failing) => {
      await batch('run-1');
      const before = await manifests();
      await admitDays(prod.ledger, '2001-01-26', '2001-01-26');
      const fail = async (state: string): Promise<void> => {
        if (state === failing) throw new TaskError('Runtime.HandlerError');
      };
      const { status, path } = await batch('run-2', { before: fail });
      expect(path).toContain(failing);
      expect(status).toBe('FAILED');
      const failure = await lastRecord();
      expect(failure).toMatchObject({ code: 'RUN_FAILED', details: { run: 'run-2', machine: 'batch-inference' } });
      await publishRecords(prod, MODEL);
      expect(prod.announcements.alerted).toContainEqual(failure);
      expect(await manifests()).toEqual(before);
      // Otherwise the next request would wait for a run that is dead.
      if (failing !== 'Plan reconciliation') expect(await fence()).toMatchObject({ running: null });
      expect((await batch('run-3')).path.at(-1)).toBe('Reported');
      expect((await manifests()).at(-1)).toMatchObject({ day: '2001-01-26', run: 'run-3' });
    },
  );

  it.each(['FAILED', 'ABORTED', 'TIMED_OUT'])(
    'that no state could record, because its execution %s, is recorded from outside, and keeps no later one from its work',
    async (status) => {
      const fail = async (state: string): Promise<void> => {
        if (['Score partition', 'Record failure'].includes(state)) throw new TaskError('Runtime.HandlerError');
      };
      expect((await batch('run-1', { before: fail })).status).toBe('FAILED');
      expect(await fence()).toMatchObject({ running: 'run-1' });
      const stateMachineArn = 'arn:aws:states:us-east-1:333333333333:stateMachine:gatehouse-prod-batch-inference';
      const input = JSON.stringify({ model: MODEL, run: 'run-1' });
      const end = { stateMachineArn, name: 'run-1', status, input };
      for (const result of ['recorded', 'already-recorded'])
        expect(await recordExecutionEnd(prod, end)).toEqual({ result });
      expect(await fence()).toMatchObject({ running: null });
      expect((await batch('run-2')).path.at(-1)).toBe('Reported');
    },
  );
});
