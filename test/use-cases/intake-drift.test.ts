import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '#domain/audit/events.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { readRecords } from '#read-model/chain.ts';
import { DRIFT } from '#test/domain/drift/_evidence.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { readPeer } from '#use-cases/intake/read-peer.ts';
import { hear } from './_scene.ts';
import { deployed, type Environment, MODEL, publishRecords } from './_environments.ts';
import { RELEASE, all, dev, staging, prod, hears, begin } from './_intake.ts';

beforeEach(begin);

describe('drift in prod', () => {
  const checked = (asOf: string, inputs: 'drifted' | 'stable' | 'insufficient' = 'drifted'): AuditEvent => ({
    code: 'DRIFT_CHECKED',
    actor: 'pipeline:gates',
    release: RELEASE,
    details: {
      run: `drift-${asOf}`,
      asOf,
      day: asOf,
      epoch: 2,
      policy: digestOf('policy'),
      status: inputs === 'insufficient' ? 'insufficient' : 'drifted',
      inputs,
      concept: 'drifted',
      disagreement: 'none',
      parity: 'same',
      worst: inputs === 'insufficient' ? null : { input: 'x', index: 0.38 },
      limit: 0.1,
      reasons: [],
      measures: { stability: null, concept: null },
    },
  });
  const watching = (own: Environment): Environment => ({
    ...own,
    deployed: {
      ...deployed,
      models: deployed.models.map((each) => ({ ...each, policy: { ...each.policy, drift: DRIFT } })),
    },
  });
  const started = () => [...dev.machines.started].map(([name, { machine, input }]) => ({ name, machine, ...input }));
  const answers = async () =>
    (await dev.chain())
      .filter(({ code }) => code === 'DRIFT_HANDLED')
      .map(({ details }) => ({ answer: details['answer'], asOf: details['asOf'], run: details['run'] }));

  it('makes dev retrain once, however often it hears of it', async () => {
    await prod.says(checked('2001-02-10'));
    await hears(watching(dev), prod);
    expect(started()).toEqual([
      { name: `${MODEL}-drift-prod-0`, machine: 'retraining', model: MODEL, trigger: 'drift', asOf: '2001-02-10' },
    ]);
    // Its place is lost, and it reads from the beginning.
    const { record, hash } = (await readRecords(prod.ledger, MODEL, 0))[0] ?? {};
    if (record === undefined || hash === undefined) throw new Error('prod said nothing');
    await hear(watching(dev), record);
    expect(started()).toHaveLength(1);
    expect(await answers()).toEqual([{ answer: 'retraining', asOf: '2001-02-10', run: `${MODEL}-drift-prod-0` }]);
  });

  it('makes it retrain at most as often as the policy says, and says why not', async () => {
    for (const asOf of ['2001-02-10', '2001-02-10', '2001-02-16', '2001-02-17']) {
      await prod.says(checked(asOf));
      all.clock.at += 1;
      await hears(watching(dev), prod);
    }
    expect((await answers()).map(({ answer }) => answer)).toEqual(['retraining', 'deferred', 'deferred', 'retraining']);
    expect(started().map(({ name }) => name)).toEqual([`${MODEL}-drift-prod-0`, `${MODEL}-drift-prod-3`]);
    const last = (await dev.chain()).findLast(({ details }) => details['answer'] === 'deferred');
    expect(last?.details['reason']).toBe(
      'x has an index of 0.380; the next retraining by drift is as of 2001-02-17 or later',
    );
  });

  it('starts what was recorded and not started', async () => {
    await prod.says(checked('2001-02-10'));
    const own = watching(dev);
    const dying = { ...own, machines: { ...own.machines, start: () => Promise.reject(new Error('out of memory')) } };
    await publishRecords(prod, MODEL);
    await expect(readPeer(dying, 'prod', MODEL, followPeer(dying))).rejects.toThrow('out of memory');
    await readPeer(own, 'prod', MODEL, followPeer(own));
    expect(started()).toHaveLength(1);
    expect(await answers()).toHaveLength(1);
  });

  it.each(['stable', 'insufficient'] as const)('makes nobody retrain where its inputs are %s', async (inputs) => {
    await prod.says(checked('2001-02-10', inputs));
    await hears(watching(dev), prod);
    expect(started()).toEqual([]);
    expect(await answers()).toEqual([]);
  });

  it('is ignored by other environments, and by a policy without a drift rule', async () => {
    await prod.says(checked('2001-02-10'));
    await hears(watching(staging), prod);
    await hears(dev, prod);
    expect([...staging.machines.started, ...dev.machines.started]).toEqual([]);
  });
});
