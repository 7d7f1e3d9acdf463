import { beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_CHAIN } from '#domain/audit/chain.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { promotionName, type PromotionRequest } from '#domain/promotion/promotion.ts';
import { findPromotionRequest } from '#read-model/promotions.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { type Environment, MODEL, publishRecords } from './_environments.ts';
import { RELEASE, dev, staging, prod, control, hears, begin } from './_intake.ts';

beforeEach(begin);

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

const rolledBack = {
  code: 'RELEASE_ROLLED_BACK',
  actor: 'pipeline:gates',
  release: digestOf('before'),
  details: { rollback: 'r', version: '0.1.0', from: RELEASE, reason: 'wrong', pointerSeq: 4, epoch: 4 },
} as const;

const asked = (release = RELEASE, environment = 'prod'): AuditEvent => ({
  code: 'PROMOTION_REQUESTED',
  actor: 'person:eng',
  release,
  details: { environment, version: '0.1.1', requestedBy: 'person:eng' },
});

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
    await staging.says(rolledBack);
    await hears(prod, staging);
    expect(await prod.ledger.get(keys.upstream(MODEL, RELEASE, 'staging'))).toMatchObject({
      withdrawn: expect.stringMatching(/^sha256:/),
    });
  });

  it('knows what staging promotes again after a rollback, and not by a record that is older than that', async () => {
    const upstream = () => prod.ledger.get(keys.upstream(MODEL, RELEASE, 'staging'));
    await staging.says(promoted('trained'));
    await staging.says(promoted('trained', RELEASE, 3));
    await staging.says(rolledBack);
    await hears(prod, staging);
    const old = (await staging.chain())[1];
    // A reader that was slow hands on what another has passed.
    if (old !== undefined) await followPeer(prod)(old, digestOf(canonicalJson(old)), () => Promise.resolve());
    expect((await upstream())?.['withdrawn']).not.toBeNull();
    await staging.says(promoted('trained', RELEASE, 5));
    await hears(prod, staging);
    expect(await upstream()).toMatchObject({ seq: 3, withdrawn: null });
    await control.says(asked());
    await hears(prod, control);
    expect(await startedBy(prod)).toMatchObject([{ release: RELEASE, source: 'staging' }]);
    await staging.says({ ...rolledBack, details: { ...rolledBack.details, rollback: 'r-2', pointerSeq: 6 } });
    await hears(prod, staging);
    expect((await upstream())?.['withdrawn']).not.toBeNull();
  });
});
