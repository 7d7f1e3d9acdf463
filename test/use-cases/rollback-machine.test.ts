import { beforeEach, describe, expect, it } from 'vitest';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { readPointer } from '#read-model/pointer.ts';
import { isQuarantined } from '#read-model/quarantines.ts';
import { verifyServing } from '#use-cases/promotion/verify-serving.ts';
import { keys } from '#domain/ledger/keys.ts';
import { findIncident } from '#read-model/incidents.ts';
import type { Ledger } from '#ports/ledger.ts';
import { switchPointer } from '#use-cases/rollback/switch-pointer.ts';
import { promote, rollBack } from './_machine.ts';
import { scene } from './_scene.ts';
import { type Environment, MODEL } from './_environments.ts';

/** An environment whose ledger counts what it is asked. */
function counting(own: Environment) {
  const calls: string[] = [];
  const ledger = new Proxy(own.ledger, {
    get(target, name: keyof Ledger) {
      const method = target[name];
      return typeof method === 'function' ? (calls.push(name), method.bind(target)) : method;
    },
  });
  return { counted: { ...own, ledger }, calls: () => calls };
}

let here: Awaited<ReturnType<typeof scene>>;
let prod: Environment;
beforeEach(async () => {
  here = await scene();
  ({ prod } = here);
  await here.begin();
});

describe('the machine of rollbacks with its use-cases', () => {
  it('goes back, quarantines, and opens an incident', async () => {
    const { release } = await here.letIn('bad');
    const { path } = await rollBack(prod, { rollback: 'rollback-1', from: release });
    expect(path.at(-1)).toBe('Rolled back');
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({
      current: here.baseline,
      version: '0.1.0',
      seq: 3,
      epoch: 3,
      lastConfirmed: null,
    });
    expect(await isQuarantined(prod.ledger, MODEL, release)).toBe(true);
    expect(await findIncident(prod.ledger, MODEL, `${MODEL}-prod-rollback-2`)).toMatchObject({
      status: 'open',
      rollback: { rollback: 'rollback-1', from: release, serving: 'verified' },
      parts: [{ part: 'predictions', resolution: null }],
    });
    expect((await prod.codes()).slice(-2)).toEqual(['RELEASE_ROLLED_BACK', 'INCIDENT_OPENED']);
  });

  it.each(['pipeline:gates', 'pipeline:promotion', ' pipeline:gates', 'Pipeline:gates'])(
    'does nothing in the name of %s without a verdict',
    async (actor) => {
      const { release } = await here.letIn('good');
      const { path } = await rollBack(prod, { rollback: 'rollback-1', from: release, actor });
      expect(path.slice(-2)).toEqual(['Record refusal', 'Refused']);
      expect((await prod.chain()).at(-1)?.details).toMatchObject({ rule: 'actor-verified' });
      expect((await readPointer(prod.ledger, MODEL))?.current).toBe(release);
    },
  );

  it('goes back in the name of the promotion whose release was found not to be served', async () => {
    const { release, name } = await here.letIn('unserved');
    const given = { rollback: `${name}-unserved`, from: release, actor: 'pipeline:promotion' };
    expect((await rollBack(prod, given)).path.at(-1)).toBe('Refused');
    prod.releases.objects.delete(digestOf('MODEL unserved'));
    const verify = verifyServing({ ...prod, own: prod.releases });
    expect(await verify({ model: MODEL, release, promotion: name })).toMatchObject({ status: 'failed' });
    expect((await prod.chain()).at(-1)).toMatchObject({ code: 'RELEASE_NOT_SERVED', details: { promotion: name } });
    expect((await rollBack(prod, given)).path.at(-1)).toBe('Rolled back');
  });

  it('never promotes the digest again', async () => {
    const { release, request: asked } = await here.letIn('bad');
    await rollBack(prod, { rollback: 'rollback-1', from: release });
    const again = { ...asked, requestSeq: 9 };
    const { path } = await promote(prod, again, here.around);
    expect(path.slice(-3)).toEqual(['Opening was refused', 'Refuse promotion', 'Refused']);
    expect((await prod.chain()).at(-1)?.details).toMatchObject({ rule: 'release-quarantined' });
  });

  it('goes back step by step, and says when there is nothing left', async () => {
    const first = await here.letIn('first');
    const second = await here.letIn('second', { requestSeq: 2, version: '0.1.2' });
    expect((await rollBack(prod, { rollback: 'r-1', from: second.release })).path.at(-1)).toBe('Rolled back');
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({
      current: first.release,
      lastConfirmed: { release: here.baseline },
    });
    expect((await rollBack(prod, { rollback: 'r-2', from: first.release })).path.at(-1)).toBe('Rolled back');
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({ current: here.baseline, lastConfirmed: null });
    const { path } = await rollBack(prod, { rollback: 'r-3', from: here.baseline });
    expect(path.at(-1)).toBe('Refused');
    expect((await prod.chain()).at(-1)).toMatchObject({
      code: 'ROLLBACK_REFUSED',
      details: { rule: 'rollback-target' },
    });
  });

  it('goes behind a release that was promoted twice to what it replaced the last time', async () => {
    const first = await here.letIn('first');
    const second = await here.letIn('second', { requestSeq: 2, version: '0.1.2' });
    await here.letIn('first', { requestSeq: 3 });
    const third = await here.letIn('third', { requestSeq: 4, version: '0.1.3' });
    await rollBack(prod, { rollback: 'r-1', from: third.release });
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({
      current: first.release,
      lastConfirmed: { release: second.release },
    });
  });

  it.each([
    ['an older epoch', 2, 'rollback-epoch'],
    ['an epoch that has not begun', 4, 'rollback-epoch'],
    ['another release of this epoch', 3, 'rollback-from'],
  ])('changes nothing where it is about %s', async (_, epoch, rule) => {
    const first = await here.letIn('first');
    await here.letIn('second', { requestSeq: 2, version: '0.1.2' });
    const before = await readPointer(prod.ledger, MODEL);
    const { path } = await rollBack(prod, { rollback: 'r-1', from: first.release, epoch });
    expect(path).toEqual(['Switch pointer', 'Switched?', 'Record refusal', 'Refused']);
    expect(await readPointer(prod.ledger, MODEL)).toEqual(before);
    expect((await prod.chain()).at(-1)).toMatchObject({ code: 'ROLLBACK_REFUSED', details: { rule } });
  });

  it('rolls nothing back for an alarm of an older epoch, although the same digest is served again', async () => {
    const first = await here.letIn('first');
    const alarm = { rollback: 'r-late', from: first.release, epoch: 2 };
    await here.letIn('second', { requestSeq: 2, version: '0.1.2' });
    await here.letIn('first', { requestSeq: 3 });
    const before = await readPointer(prod.ledger, MODEL);
    expect(before).toMatchObject({ current: first.release, epoch: 4 });
    const { path } = await rollBack(prod, alarm);
    expect(path.at(-1)).toBe('Refused');
    expect((await prod.chain()).at(-1)?.details).toMatchObject({
      rule: 'rollback-epoch',
      found: expect.stringMatching(/epoch 2;.* epoch 4/),
    });
    expect(await readPointer(prod.ledger, MODEL)).toEqual(before);
    expect(await isQuarantined(prod.ledger, MODEL, first.release)).toBe(false);
  });

  const asked = (from: Digest) =>
    ({ model: MODEL, rollback: 'r-1', actor: 'person:op', reason: 'wrong', from, epoch: 2, to: null }) as const;

  it('decides anew where the pointer changed between its reading and its writing', async () => {
    const { release } = await here.letIn('bad');
    let isFirst = true;
    const ledger: Ledger = {
      ...prod.ledger,
      async transact(writes, token) {
        if (isFirst) {
          isFirst = false;
          const pointer = await readPointer(prod.ledger, MODEL);
          const moved = { kind: 'put' as const, item: { ...keys.pointer(MODEL), ...pointer, seq: 9 } };
          await prod.ledger.transact([moved], 'moved');
        }
        return prod.ledger.transact(writes, token);
      },
    };
    const switched = await switchPointer({ ...prod, ledger })(asked(release));
    expect(switched).toMatchObject({ status: 'switched', release: here.baseline, epoch: 3 });
    expect((await readPointer(prod.ledger, MODEL))?.seq).toBe(10);
  });

  it('switches the pointer by one reading of the ledger and one transaction', async () => {
    const bad = await here.letIn('bad');
    const switching = counting(prod);
    expect(await switchPointer(switching.counted)(asked(bad.release))).toMatchObject({ status: 'switched' });
    // What is read in one turn is one call: the adapter's own tests count it.
    expect(switching.calls()).toEqual(['get', 'getMany', 'get', 'transact']);
  });

  it('switches once, however often it is asked for', async () => {
    const { release } = await here.letIn('bad');
    await rollBack(prod, { rollback: 'r-1', from: release });
    const { path } = await rollBack(prod, { rollback: 'r-1', from: release });
    expect(path.at(-1)).toBe('Rolled back');
    expect((await readPointer(prod.ledger, MODEL))?.seq).toBe(3);
    expect((await prod.codes()).filter((code) => code === 'RELEASE_ROLLED_BACK')).toHaveLength(1);
  });

  it('recognises a switch whose answer got lost, also after the pointer has moved on', async () => {
    const { release } = await here.letIn('bad');
    const first = await switchPointer(prod)(asked(release));
    expect(first).toMatchObject({ status: 'switched', release: here.baseline, version: '0.1.0', epoch: 3 });
    await here.letIn('next', { requestSeq: 2, version: '0.1.2' });
    expect(await switchPointer(prod)(asked(release))).toEqual(first);
  });

  it('goes to the older release that is named, leaves those between as they are, and says which', async () => {
    const first = await here.letIn('first');
    const second = await here.letIn('second', { requestSeq: 2, version: '0.1.2' });
    const third = await here.letIn('third', { requestSeq: 3, version: '0.1.3' });
    const { path } = await rollBack(prod, { rollback: 'r-1', from: third.release, to: first.release });
    expect(path.at(-1)).toBe('Rolled back');
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({
      current: first.release,
      lastConfirmed: { release: here.baseline },
      rollbackHistory: [],
    });
    expect(await isQuarantined(prod.ledger, MODEL, second.release)).toBe(false);
    const record = (await prod.chain()).find(({ code }) => code === 'RELEASE_ROLLED_BACK');
    expect(record?.details).toMatchObject({ skipped: ['0.1.2'] });
  });

  it('refuses to go to what was never confirmed, and names what was', async () => {
    const { release } = await here.letIn('bad');
    await rollBack(prod, { rollback: 'r-1', from: release, to: digestOf('another') });
    expect((await prod.chain()).at(-1)).toMatchObject({
      code: 'ROLLBACK_REFUSED',
      details: { rule: 'rollback-target', found: expect.stringContaining('was not confirmed before 0.1.1') },
    });
  });

  it('refuses the commit of a promotion that was decided against what was rolled back', async () => {
    const bad = await here.letIn('bad');
    const next = await here.candidate('next', { requestSeq: 2, version: '0.1.2' });
    const before = async (state: string): Promise<void> => {
      if (state === 'Commit promotion') await rollBack(prod, { rollback: 'r-1', from: bad.release });
    };
    const { path } = await promote(prod, next.request, { ...next.well, before });
    expect(path.slice(-3)).toEqual(['Commit was refused', 'Refuse promotion', 'Refused']);
    expect((await prod.chain()).at(-1)?.details).toMatchObject({ rule: 'champion-unchanged' });
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({ current: here.baseline });
  });

  it('fails, and says so, when what it goes back to is damaged', async () => {
    const { release } = await here.letIn('bad');
    prod.releases.objects.delete(digestOf('MODEL baseline'));
    const { path, status } = await rollBack(prod, { rollback: 'r-1', from: release });
    expect(path.slice(-4)).toEqual(['Open incident', 'Repair predictions', 'Serving verified?', 'Failed']);
    expect(status).toBe('FAILED');
    expect(await findIncident(prod.ledger, MODEL, `${MODEL}-prod-rollback-2`)).toMatchObject({
      rollback: { serving: expect.stringContaining('no object') },
    });
  });
});
