import { beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_CHAIN } from '#domain/audit/chain.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { promotionName, type PromotionRequest } from '#domain/promotion/promotion.ts';
import { readRecords } from '#read-model/chain.ts';
import { findPromotionRequest } from '#read-model/promotions.ts';
import { DRIFT } from '#test/domain/drift/_evidence.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { readPeer } from '#use-cases/intake/read-peer.ts';
import { hear } from './_scene.ts';
import { deployed, type Environment, MODEL, world, publishRecords } from './_environments.ts';

const RELEASE = digestOf('release');
const offered: AuditEvent = {
  code: 'RELEASE_OFFERED',
  actor: 'pipeline:validation',
  release: RELEASE,
  details: {
    version: '0.1.1',
    run: 'run-1',
    asOf: '2001-01-20',
    champion: digestOf('c'),
    measure: digestOf('m'),
    improvement: 0.02,
  },
};
const baseline: AuditEvent = {
  code: 'BASELINE_REGISTERED',
  actor: 'pipeline:registration',
  release: digestOf('baseline'),
  details: { version: '0.1.0', run: 'run-1', asOf: '2001-01-20', baseRate: 0.2 },
};
const promoted = (kind: 'trained' | 'baseline', release = RELEASE, pointerSeq = 2): AuditEvent => ({
  code: 'RELEASE_PROMOTED',
  actor: 'pipeline:pointer',
  release,
  details: {
    promotion: 'p',
    transition: 'staging',
    kind,
    version: '0.1.1',
    asOf: '2001-01-20',
    replaces: null,
    pointerSeq,
    epoch: pointerSeq,
    requestedBy: 'pipeline:dev',
    approvedBy: [],
  },
});
const asked = (release = RELEASE, environment = 'prod'): AuditEvent => ({
  code: 'PROMOTION_REQUESTED',
  actor: 'person:eng',
  release,
  details: { environment, version: '0.1.1', requestedBy: 'person:eng' },
});

let all: ReturnType<typeof world>;
let dev: Environment;
let staging: Environment;
let prod: Environment;
let control: Environment;
beforeEach(() => {
  all = world();
  [dev, staging, prod, control] = [
    all.environment('dev'),
    all.environment('staging'),
    all.environment('prod'),
    all.environment('control'),
  ];
});

/** One environment publishes what it says, and another reads it: twice, as announcements come. */
async function hears(own: Environment, peer: Environment): Promise<void> {
  await publishRecords(peer, MODEL);
  for (let time = 0; time < 2; time += 1) await readPeer(own, peer.environment, MODEL, followPeer(own));
}

/** What the started machines find as their requests; they are told the model and nothing else. */
async function startedBy(own: Environment): Promise<PromotionRequest[]> {
  const requests: PromotionRequest[] = [];
  for (const [promotion, { machine, input }] of own.machines.started) {
    expect(machine).toBe('promotion');
    expect(input).toEqual({ model: MODEL });
    const found = await findPromotionRequest(own.ledger, { model: MODEL, promotion });
    if (found !== undefined) requests.push(found);
  }
  return requests;
}

describe('staging', () => {
  it('opens a promotion for the baseline and for each offer of dev, once', async () => {
    await dev.says(baseline);
    await dev.says(offered);
    await hears(staging, dev);
    expect(await startedBy(staging)).toMatchObject([
      {
        kind: 'baseline',
        transition: 'initial',
        source: 'dev',
        requestedIn: 'dev',
        requestSeq: 0,
        requestedBy: 'pipeline:dev',
      },
      { kind: 'trained', transition: 'staging', release: RELEASE, version: '0.1.1', requestSeq: 1 },
    ]);
    for (const request of await startedBy(staging))
      expect(staging.machines.started.has(promotionName(request))).toBe(true);
  });

  it('goes over the same records again when it has lost its place, and changes nothing', async () => {
    await dev.says(baseline);
    await dev.says(offered);
    await hears(staging, dev);
    const key = keys.cursor('peer-dev', MODEL);
    const cursor = await staging.ledger.get(key);
    const lost = { ...key, ...cursor, seq: EMPTY_CHAIN.seq, hash: EMPTY_CHAIN.hash };
    await staging.ledger.transact([{ kind: 'put', item: lost }], 'the place is lost');
    const before = await staging.codes();
    await hears(staging, dev);
    expect(await staging.codes()).toEqual(before);
    expect(await startedBy(staging)).toHaveLength(2);
  });

  it('does nothing about what is registered, or promoted elsewhere', async () => {
    await dev.says({
      code: 'RELEASE_REGISTERED',
      actor: 'pipeline:registration',
      release: RELEASE,
      details: { version: '0.1.1', reason: 'r', run: 'r', asOf: '2001-01-20', window: 'w', fingerprint: RELEASE },
    });
    await prod.says(promoted('trained'));
    await hears(staging, dev);
    await hears(staging, prod);
    expect(await startedBy(staging)).toEqual([]);
    expect(await staging.ledger.get(keys.upstream(MODEL, RELEASE, 'dev'))).toBeUndefined();
  });
});

describe('prod', () => {
  it('opens the baseline by itself, and everything else only when a person asks', async () => {
    await staging.says(promoted('baseline', digestOf('baseline'), 1));
    await staging.says(promoted('trained'));
    await hears(prod, staging);
    expect(await startedBy(prod)).toMatchObject([{ kind: 'baseline', transition: 'initial' }]);
    await control.says(asked());
    await hears(prod, control);
    expect((await startedBy(prod)).at(-1)).toMatchObject({
      release: RELEASE,
      transition: 'prod',
      requestedBy: 'person:eng',
      requestedIn: 'control',
      source: 'staging',
    });
    expect(await startedBy(prod)).toHaveLength(2);
  });

  it('looks what staging says by now, when a person is quicker than the announcement', async () => {
    await staging.says(promoted('trained'));
    await publishRecords(staging, MODEL);
    await control.says(asked());
    await hears(prod, control);
    expect(await startedBy(prod)).toMatchObject([{ release: RELEASE, requestedBy: 'person:eng' }]);
    expect(await prod.codes()).not.toContain('PROMOTION_REFUSED');
  });

  it('refuses a request for what staging has not promoted, once, with the reason', async () => {
    await control.says(asked());
    await hears(prod, control);
    expect(await startedBy(prod)).toEqual([]);
    const refusals = (await prod.chain()).filter(({ code }) => code === 'PROMOTION_REFUSED');
    expect(refusals.map(({ details }) => details)).toMatchObject([
      { rule: 'released-upstream', reasons: [`staging has not released ${RELEASE}`] },
    ]);
  });

  it('ignores requests and decisions for another environment', async () => {
    await staging.says(promoted('trained'));
    await hears(prod, staging);
    await control.says(asked(RELEASE, 'staging'));
    await hears(prod, control);
    expect(await startedBy(prod)).toEqual([]);
  });

  it('knows what dev has registered and offered, and opens nothing for it', async () => {
    await dev.says(baseline);
    await dev.says(offered);
    await hears(prod, dev);
    expect(await startedBy(prod)).toEqual([]);
    expect(await prod.ledger.get(keys.upstream(MODEL, RELEASE, 'dev'))).toMatchObject({ code: 'RELEASE_OFFERED' });
    await control.says(asked());
    await hears(prod, control);
    // Dev's word is enough for a hotfix only.
    expect(await startedBy(prod)).toEqual([]);
    expect(await prod.codes()).toContain('PROMOTION_REFUSED');
  });

  it('marks what staging has rolled back since', async () => {
    await staging.says(promoted('trained'));
    await staging.says({
      code: 'RELEASE_ROLLED_BACK',
      actor: 'person:op',
      release: digestOf('before'),
      details: { rollback: 'r', version: '0.1.0', from: RELEASE, reason: 'wrong', pointerSeq: 3, epoch: 3 },
    });
    await hears(prod, staging);
    expect(await prod.ledger.get(keys.upstream(MODEL, RELEASE, 'staging'))).toMatchObject({
      withdrawn: expect.stringMatching(/^sha256:/),
    });
  });
});

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
