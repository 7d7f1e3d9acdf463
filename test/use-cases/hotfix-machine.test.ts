import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { promotionName, type PromotionRequest } from '#domain/promotion/promotion.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion, findPromotionRequest } from '#read-model/promotions.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { readPeer } from '#use-cases/intake/read-peer.ts';
import type { Task } from '#use-cases/task.ts';
import { open, promote, rollBack } from './_machine.ts';
import { decides, hear, scene } from './_scene.ts';
import { definition, deployed, type Environment, MODEL, policy, SQL, publishRecords } from './_environments.ts';
import { makeRelease } from './_releases.ts';

const { prod: normal } = policy.transitions;
/** The policy that knows a hotfix: one more role decides. */
const withHotfix: Policy = {
  ...policy,
  transitions: {
    ...policy.transitions,
    hotfix: { ...normal, approvals: [...normal.approvals, { role: 'risk', count: 1 }] },
  },
};
const REASON = 'the carrier renamed its codes';

let here: Awaited<ReturnType<typeof scene>>;
let dev: Environment;
let prod: Environment;
beforeEach(async () => {
  here = await scene();
  dev = here.environment('dev');
  prod = {
    ...here.prod,
    deployed: { ...deployed, models: [{ definition, policy: withHotfix, sql: { ...SQL }, expectations: {} }] },
  };
  await here.begin(prod);
});

/** Dev registers a release, and prod hears of it. */
async function registered(text: string, version = '0.1.9') {
  const release = await makeRelease(dev.releases, text);
  await dev.says({
    code: 'RELEASE_REGISTERED',
    actor: 'pipeline:registration',
    release,
    details: { version, reason: 'r', run: 'run-1', asOf: '2001-01-20', window: 'all', fingerprint: digestOf(text) },
  });
  await publishRecords(dev, MODEL);
  await readPeer(prod, 'dev', MODEL, followPeer(prod));
  return release;
}

/** A person asks for a hotfix in control, and prod hears of it. */
async function ask(release: AuditEvent['release']): Promise<void> {
  await here.control.says({
    code: 'PROMOTION_REQUESTED',
    actor: 'person:eng',
    release,
    details: { environment: 'prod', version: '0.1.9', requestedBy: 'person:eng', hotfix: { reason: REASON } },
  });
  const record = (await here.control.chain()).at(-1);
  if (record === undefined) throw new Error('control said nothing');
  await hear(prod, record);
}

/** What prod starts when a person asks for a hotfix. */
async function asked(release: AuditEvent['release']): Promise<PromotionRequest> {
  await ask(release);
  const [promotion = ''] = [...prod.machines.started.keys()].slice(-1);
  const found = await findPromotionRequest(prod.ledger, { model: MODEL, promotion });
  if (found === undefined) throw new Error('nothing was requested');
  return found;
}

/** Runs a hotfix by its machine; people of all three roles approve. */
async function fix(text: string, tasks: Readonly<Record<string, Task>> = {}) {
  const request = await asked(await registered(text));
  const name = promotionName(request);
  const people = async (): Promise<void> => {
    await decides(prod, here.control, name, 'lea', 'ml-lead');
    await decides(prod, here.control, name, 'pat', 'platform');
    await decides(prod, here.control, name, 'rob', 'risk');
  };
  const { path } = await promote(prod, request, { source: dev, measured: fortnight(0.02), people, tasks });
  return { request, name, path, release: request.release };
}

/** Staging promotes a release, or rolls it back, and prod hears of it. */
async function stagingSays(event: AuditEvent): Promise<void> {
  await here.staging.says(event);
  await publishRecords(here.staging, MODEL);
  await readPeer(prod, 'staging', MODEL, followPeer(prod));
}

const letInByStaging = (release: AuditEvent['release']): AuditEvent => ({
  code: 'RELEASE_PROMOTED',
  actor: 'pipeline:pointer',
  release,
  details: {
    promotion: 'p',
    transition: 'staging',
    kind: 'trained',
    version: '0.1.9',
    asOf: '2001-01-20',
    replaces: null,
    pointerSeq: 2,
    epoch: 2,
    requestedBy: 'pipeline:dev',
    approvedBy: [],
  },
});

describe('a hotfix', () => {
  it('comes from dev past staging, asked for with a reason, and by more people', async () => {
    const { request, path, release, name } = await fix('urgent');
    expect(request).toMatchObject({ transition: 'hotfix', source: 'dev', hotfix: { reason: REASON } });
    expect(path.at(-1)).toBe('Promoted');
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({
      current: release,
      lastConfirmed: { release: here.baseline },
      pendingPropagation: { release, version: '0.1.9', promotion: name },
    });
    const chain = await prod.chain();
    expect(chain.find(({ code }) => code === 'APPROVAL_REQUESTED')?.details).toMatchObject({
      hotfix: { reason: REASON },
    });
    expect(chain.at(-1)).toMatchObject({ code: 'RELEASE_PROMOTED', details: { hotfix: { reason: REASON } } });
  });

  it('takes the place of a release that nobody can roll back to any more, and that is recorded and told', async () => {
    const columnIsGone: Task = async () => ({
      kinds: [
        { kind: 'events', problem: 'no column x' },
        { kind: 'labels', problem: null },
      ],
    });
    const { path, release } = await fix('urgent', { 'Check source data': columnIsGone });
    expect(path.at(-1)).toBe('Promoted');
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(release);
    const [waived] = (await prod.chain()).filter(({ code }) => code === 'ROLLBACK_READINESS_WAIVED');
    expect(waived?.details).toMatchObject({ version: '0.1.0', transition: 'hotfix', conditions: ['schema'] });
  });

  it('takes no place of a release whose objects can be restored', async () => {
    prod.versions.retentions.set(digestOf('MODEL baseline'), { kind: 'none' });
    expect((await fix('urgent')).path).toContain('Rollback target is not ready');
    expect(await prod.codes()).not.toContain('ROLLBACK_READINESS_WAIVED');
  });

  it('is refused where two of the three roles approved', async () => {
    const request = await asked(await registered('urgent'));
    const name = promotionName(request);
    const people = async (): Promise<void> => {
      await decides(prod, here.control, name, 'lea', 'ml-lead');
      await decides(prod, here.control, name, 'pat', 'platform');
    };
    const { path } = await promote(prod, request, { source: dev, measured: fortnight(0.02), people });
    expect(path.slice(-3)).toEqual(['Approval expired', 'Refuse promotion', 'Refused']);
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({ current: here.baseline, pendingPropagation: null });
  });

  it('is refused where the policy knows none', async () => {
    here = await scene();
    dev = here.environment('dev');
    prod = here.prod;
    await here.begin();
    const request = await asked(await registered('urgent'));
    const { path } = await promote(prod, request, { source: dev });
    expect(path.slice(-3)).toEqual(['Opening was refused', 'Refuse promotion', 'Refused']);
    expect((await prod.chain()).at(-1)?.details).toMatchObject({ rule: 'hotfix-allowed' });
  });

  it.each([
    ['without a reason', { hotfix: undefined }],
    ['with the reason of another transition', { transition: 'prod' as const }],
  ])('is refused %s', async (_, change) => {
    const { hotfix = { reason: REASON }, ...request } = await asked(await registered('urgent'));
    const strange = 'hotfix' in change ? request : { ...request, hotfix, ...change };
    expect(await open(prod, strange)).toMatchObject({ refusal: { rule: 'request-verified' } });
  });

  it('is refused where dev has not registered it', async () => {
    await ask(digestOf('smuggled'));
    expect(prod.machines.started.size).toBe(0);
    expect((await prod.chain()).at(-1)?.details).toMatchObject({
      rule: 'released-upstream',
      reasons: [`dev has not released ${digestOf('smuggled')}`],
    });
  });

  it('is refused where staging has taken the same digest back', async () => {
    const release = await registered('urgent');
    await stagingSays(letInByStaging(release));
    await stagingSays({
      code: 'RELEASE_ROLLED_BACK',
      actor: 'person:op',
      release: here.baseline,
      details: { rollback: 'r', version: '0.1.0', from: release, reason: 'wrong', pointerSeq: 3, epoch: 3 },
    });
    const { path } = await promote(prod, await asked(release), { source: dev, measured: fortnight(0.02) });
    expect(path.at(-1)).toBe('Refused');
    expect((await prod.chain()).at(-1)?.details).toMatchObject({
      reasons: expect.arrayContaining([expect.stringContaining('staging has rolled the release back')]),
    });
  });

  it('goes before a promotion that waits for people', async () => {
    const slow = await here.candidate('slow');
    const people = async (): Promise<void> => {
      expect((await fix('urgent')).path.at(-1)).toBe('Promoted');
    };
    const { path } = await promote(prod, slow.request, { ...slow.well, people });
    expect(path.at(-1)).toBe('Refused');
    expect(await findPromotion(prod.ledger, MODEL, slow.name)).toMatchObject({ status: 'superseded' });
  });
});

describe('the pending propagation of a hotfix', () => {
  it('keeps every other promotion out until staging carries the digest, and is paid by the next one', async () => {
    const { release } = await fix('urgent');
    const next = await here.candidate('next', { requestSeq: 20, version: '0.2.0' });
    const early = await promote(prod, next.request, next.well);
    expect(early.path.slice(-3)).toEqual(['Opening was refused', 'Refuse promotion', 'Refused']);
    expect((await prod.chain()).at(-1)?.details).toMatchObject({ rule: 'hotfix-propagation' });

    await stagingSays(letInByStaging(release));
    const later = await here.candidate('next', { requestSeq: 21, version: '0.2.0' });
    expect((await promote(prod, later.request, later.well)).path.at(-1)).toBe('Promoted');
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({
      current: next.release,
      pendingPropagation: null,
      lastConfirmed: { release, version: '0.1.9' },
    });
  });

  it('is gone when the hotfix is rolled back', async () => {
    const { release } = await fix('urgent');
    await rollBack(prod, { rollback: 'r-1', from: release });
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({ current: here.baseline, pendingPropagation: null });
    const next = await here.candidate('next', { requestSeq: 20, version: '0.2.0' });
    expect((await promote(prod, next.request, next.well)).path.at(-1)).toBe('Promoted');
  });
});
