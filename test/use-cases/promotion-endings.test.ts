import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion, readLock } from '#read-model/promotions.ts';
import { recordExecutionEnd } from '#use-cases/recorder/record-execution-end.ts';
import { open, promote } from './_machine.ts';
import { decides } from './_scene.ts';
import { hours, MODEL } from './_environments.ts';
import { makeRelease } from './_releases.ts';
import { atRest, begin, here } from './_promotion-machine.ts';

beforeEach(begin);

describe('a promotion that is not committed, or whose answer got lost', () => {
  it('refuses a release whose bytes were changed on the way, before anything is judged', async () => {
    await here.begin();
    const { request: asked, release, well } = await here.candidate('tampered');
    here.staging.releases.objects.set(release, new TextEncoder().encode('{}'));
    const { path } = await promote(here.prod, asked, well);
    expect(path.slice(-4)).toEqual(['Release pulled?', 'Pull was refused', 'Refuse promotion', 'Refused']);
    await atRest();
  });

  it('refuses a release that was changed here after it was pulled', async () => {
    await here.begin();
    const { request: asked, well } = await here.candidate('tampered here');
    const model = digestOf('MODEL tampered here');
    const { path } = await promote(here.prod, asked, {
      ...well,
      before: async (state) => {
        if (state === 'Verify release') here.prod.releases.objects.set(model, new TextEncoder().encode('MODEL evil'));
      },
    });
    expect(path.at(-1)).toBe('Refused');
    expect((await here.prod.chain()).at(-1)?.details).toMatchObject({
      rule: 'gates-passed',
      reasons: [expect.stringContaining('release-integrity: FAIL')],
    });
    await atRest();
  });

  it('refuses what was rolled back here under another digest', async () => {
    await here.begin();
    const bad = await here.candidate('bad#trained on Monday');
    // It was served here, and rolled back.
    expect(await makeRelease(here.prod.releases, 'bad#trained on Monday')).toBe(bad.release);
    const item = { ...keys.quarantine(MODEL, bad.release), release: bad.release, version: '0.1.1' };
    await here.prod.ledger.transact([{ kind: 'put', item }], 'quarantine');
    const again = await here.candidate('bad#trained on Tuesday', { version: '0.1.2', requestSeq: 2 });
    expect(again.release).not.toBe(bad.release);
    const { path } = await promote(here.prod, again.request, again.well);
    expect(path.at(-1)).toBe('Refused');
    expect((await here.prod.chain()).at(-1)?.details).toMatchObject({
      rule: 'gates-passed',
      reasons: [
        expect.stringContaining(
          `was not rolled back under another digest: it has the same operators and weights, and ${bad.release}`,
        ),
      ],
    });
    const other = await here.candidate('good', { version: '0.1.3', requestSeq: 3 });
    expect((await promote(here.prod, other.request, other.well)).path.at(-1)).toBe('Promoted');
  });

  it('refuses when what a rollback would go back to is damaged', async () => {
    await here.begin();
    const { request: asked, well } = await here.candidate('better');
    here.prod.releases.objects.delete(digestOf('MODEL baseline'));
    const { path } = await promote(here.prod, asked, well);
    expect(path.slice(-3)).toEqual(['Rollback target is not ready', 'Refuse promotion', 'Refused']);
    await atRest();
  });

  it('refuses when one person turns it down', async () => {
    await here.begin();
    const { request: asked, name, well } = await here.candidate('better');
    const people = async (): Promise<void> => {
      await decides(here.prod, here.control, name, 'lea', 'ml-lead');
      await decides(here.prod, here.control, name, 'pat', 'platform', { decision: 'reject' });
    };
    const { path } = await promote(here.prod, asked, { ...well, people });
    expect(path.slice(-3)).toEqual(['Approval was not given', 'Refuse promotion', 'Refused']);
    await atRest();
  });

  it('refuses when nobody decides in time', async () => {
    await here.begin();
    const { request: asked, well } = await here.candidate('better');
    const { path } = await promote(here.prod, asked, { ...well, people: async () => undefined });
    expect(path.slice(-3)).toEqual(['Approval expired', 'Refuse promotion', 'Refused']);
    await atRest();
  });

  it('refuses by the commit itself what was approved and has expired since', async () => {
    await here.begin();
    const { request: asked, well } = await here.candidate('better');
    const before = async (state: string): Promise<void> => {
      if (state === 'Commit promotion') here.clock.at += hours(25);
    };
    const { path } = await promote(here.prod, asked, { ...well, before });
    expect(path.slice(-3)).toEqual(['Commit was refused', 'Refuse promotion', 'Refused']);
    expect((await here.prod.chain()).at(-1)?.details).toMatchObject({
      rule: 'approval-given',
      reasons: ['missing: 1 of ml-lead, 1 of platform'],
    });
    await atRest();
  });

  it('ends a promotion that was superseded while people were deciding, without an alert', async () => {
    await here.begin();
    const older = await here.candidate('older');
    const newer = await here.candidate('newer', { requestSeq: 2 });
    const people = async (): Promise<void> => {
      await open(here.prod, newer.request, { execution: newer.name });
    };
    const { path } = await promote(here.prod, older.request, { ...older.well, people });
    expect(path.slice(-3)).toEqual(['Approval was not given', 'Refuse promotion', 'Refused']);
    expect(await findPromotion(here.prod.ledger, MODEL, older.name)).toMatchObject({
      status: 'superseded',
      ending: `superseded by ${newer.name}`,
    });
    expect(await here.prod.codes()).not.toContain('PROMOTION_REFUSED');
    expect(await readLock(here.prod.ledger, MODEL)).toMatchObject({ promotion: newer.name });
    expect((await promote(here.prod, newer.request, newer.well)).path.at(-1)).toBe('Promoted');
    await atRest();
  });

  it.each(['Compare with champion', 'Evaluate gates', 'Request approvals', 'Commit promotion'])(
    'ends a promotion that was superseded before "%s", whose late writer changes nothing',
    async (late) => {
      await here.begin();
      const older = await here.candidate('older');
      const newer = await here.candidate('newer', { requestSeq: 2 });
      const before = async (state: string): Promise<void> => {
        if (state === late) await open(here.prod, newer.request, { execution: newer.name });
      };
      const { path, status } = await promote(here.prod, older.request, { ...older.well, before });
      expect(path.at(-1)).toBe('Refused');
      expect(status).toBe('SUCCEEDED');
      expect(await readPointer(here.prod.ledger, MODEL)).toMatchObject({ current: here.baseline });
      expect(await readLock(here.prod.ledger, MODEL)).toMatchObject({ promotion: newer.name });
      expect(await here.prod.codes()).not.toContain('PROMOTION_FAILED');
      expect((await promote(here.prod, newer.request, newer.well)).path.at(-1)).toBe('Promoted');
      await atRest();
    },
  );

  it('goes on from where it was when an answer got lost', async () => {
    await here.begin();
    const made = await here.candidate('better');
    const lost = new Set<string>();
    // Each task is done twice, as if the first answer had not arrived.
    const { path } = await promote(here.prod, made.request, {
      ...made.well,
      after: async (state) => {
        if (lost.has(state)) return;
        lost.add(state);
        throw new Error('the answer got lost');
      },
    });
    expect(path.at(-1)).toBe('Promoted');
    expect(await readPointer(here.prod.ledger, MODEL)).toMatchObject({ current: made.release, seq: 2 });
    const codes = await here.prod.codes();
    expect(codes.filter((code) => code === 'RELEASE_PROMOTED')).toHaveLength(2);
    expect(codes.filter((code) => code === 'EVIDENCE_RECORDED')).toHaveLength(6);
    await atRest();
  });

  it('records a fault after the commit, although the promotion is done', async () => {
    await here.begin();
    const { name } = await here.letIn('better');
    const end = {
      stateMachineArn: 'arn:aws:states:us-east-1:333333333333:stateMachine:gatehouse-prod-promotion',
      name,
      status: 'FAILED',
      input: JSON.stringify({ model: MODEL }),
      cause: 'the promoted release was not served and was rolled back',
    };
    expect(await recordExecutionEnd(here.prod, end)).toEqual({ result: 'committed' });
    expect((await here.prod.chain()).at(-1)).toMatchObject({
      code: 'RUN_FAILED',
      details: { run: name, machine: 'promotion' },
    });
    expect(await findPromotion(here.prod.ledger, MODEL, name)).toMatchObject({ status: 'committed' });
  });
});
