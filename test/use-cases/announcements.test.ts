import { beforeEach, describe, expect, it } from 'vitest';
import { memorySigner } from '#adapters/memory/signer.ts';
import type { AuditRecord } from '#domain/audit/chain.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { keyIdOf, PAYLOAD_TYPES, preAuthenticationEncoding } from '#domain/signature/dsse.ts';
import { readRecords } from '#read-model/chain.ts';
import { recordChange } from '#use-cases/audit/record-change.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { readPeer } from '#use-cases/intake/read-peer.ts';
import { championOf } from '#use-cases/validation/champion.ts';
import { scene } from './_scene.ts';
import { type Environment, MODEL, world, publishRecords } from './_environments.ts';

const started = (run: string): AuditEvent => ({
  code: 'RETRAINING_STARTED',
  actor: 'schedule:weekly',
  release: null,
  details: { run, asOf: '2026-03-01', trigger: 'schedule' },
});

let all: ReturnType<typeof world>;
let dev: Environment;
let staging: Environment;
let heard: AuditRecord[];
beforeEach(() => {
  all = world();
  dev = all.environment('dev');
  staging = all.environment('staging');
  heard = [];
});
const runs = (): unknown[] => heard.map(({ details }) => details['run']);
const read = () =>
  readPeer(staging, 'dev', MODEL, async (record) => {
    heard.push(record);
  });
const objectOf = (seq: number): string => `dev/chain/${MODEL}/${String(seq).padStart(12, '0')}`;

describe('following a peer', () => {
  it('hears nothing of who has published nothing', async () => {
    expect(await read()).toEqual({ read: 0, upTo: -1 });
    expect(await staging.codes()).toEqual([]);
  });

  it('hears every record once, in order, however often and in whatever order it is told to look', async () => {
    await dev.says(started('a'));
    await publishRecords(dev, MODEL);
    expect(await read()).toEqual({ read: 1, upTo: 0 });
    for (const run of ['b', 'c', 'd']) await dev.says(started(run));
    await publishRecords(dev, MODEL);
    // Two announcements got lost and one came three times.
    for (let time = 0; time < 3; time += 1) await read();
    expect(runs()).toEqual(['a', 'b', 'c', 'd']);
    expect(await staging.codes()).toEqual(['PEER_KEY_PINNED']);
  });

  it('trusts one key of an environment, whichever of its models is read first', async () => {
    await dev.says(started('a'));
    await publishRecords(dev, MODEL);
    await read();
    const impostor = { ...dev, signer: memorySigner() };
    const writes = [] as const;
    await recordChange(impostor, { model: 'other', operation: 'a', writes, event: started('a') });
    // Whoever can write the bucket can put another key there.
    all.shown.objects.delete('dev/key');
    await publishRecords(impostor, 'other');
    const heard: string[] = [];
    const refused = await readPeer(staging, 'dev', 'other', async ({ code }) => void heard.push(code));
    expect(refused).toEqual({ read: 0, upTo: -1 });
    expect(heard).toEqual([]);
    const [record] = await readRecords(staging.ledger, 'other', 0);
    expect(record?.record).toMatchObject({ code: 'PEER_VERIFICATION_FAILED', details: { rule: 'peer-key-pinned' } });
  });

  it('stops before a record that is missing, and goes on when it is there', async () => {
    for (const run of ['a', 'b', 'c']) await dev.says(started(run));
    await publishRecords(dev, MODEL);
    const missing = all.shown.objects.get(objectOf(1)) ?? '';
    all.shown.objects.delete(objectOf(1));
    for (let time = 0; time < 2; time += 1) expect((await read()).upTo).toBe(0);
    const refusals = (await staging.chain()).filter(({ code }) => code === 'PEER_VERIFICATION_FAILED');
    expect(refusals.map(({ details }) => details)).toEqual([
      { peer: 'dev', seq: 2, rule: 'chain-unbroken', found: 'record 1 is missing: found 2' },
    ]);
    all.shown.objects.set(objectOf(1), missing);
    expect((await read()).upTo).toBe(2);
    expect(runs()).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['whose payload was changed', 'record-signed'],
    ['that another key signed', 'record-signed'],
    ['of another model under this one', 'record-of-peer'],
    ['of another history, signed by the right key', 'chain-unbroken'],
  ])('does not believe a record %s', async (how, rule) => {
    for (const run of ['a', 'b']) await dev.says(started(run));
    await publishRecords(dev, MODEL);
    const [, second] = await dev.chain();
    if (second === undefined) throw new Error('no record');
    const seal = async (record: object, signer = dev.signer) => {
      const payload = Buffer.from(canonicalJson(record));
      const sig = await signer.sign(preAuthenticationEncoding(PAYLOAD_TYPES.auditRecord, payload));
      const keyid = keyIdOf(await dev.signer.publicKeyPem());
      return {
        payloadType: PAYLOAD_TYPES.auditRecord,
        payload: payload.toString('base64'),
        signatures: [{ keyid, sig: Buffer.from(sig).toString('base64') }],
      };
    };
    const honest = await seal(second);
    const forged = { ...second, actor: 'person:mallory' };
    const planted = {
      'whose payload was changed': { ...honest, payload: Buffer.from(canonicalJson(forged)).toString('base64') },
      'that another key signed': await seal(forged, memorySigner()),
      'of another model under this one': await seal({ ...second, model: 'other' }),
      'of another history, signed by the right key': await seal({ ...second, previous: digestOf('other') }),
    }[how];
    all.shown.objects.set(objectOf(1), planted ?? '');
    expect((await read()).upTo).toBe(0);
    expect(runs()).toEqual(['a']);
    expect((await staging.chain()).at(-1)).toMatchObject({
      code: 'PEER_VERIFICATION_FAILED',
      details: { seq: 1, rule },
    });
  });

  it('does not believe a peer whose key has changed since first contact', async () => {
    await dev.says(started('a'));
    await publishRecords(dev, MODEL);
    await read();
    all.shown.objects.set('dev/key', await memorySigner().publicKeyPem());
    await dev.says(started('b'));
    await publishRecords(dev, MODEL);
    for (let time = 0; time < 2; time += 1) expect(await read()).toEqual({ read: 0, upTo: -1 });
    expect(runs()).toEqual(['a']);
    expect((await staging.codes()).filter((code) => code === 'PEER_VERIFICATION_FAILED')).toHaveLength(1);
  });

  it('hands a record over again when its handler failed, and moves on only then', async () => {
    for (const run of ['a', 'b']) await dev.says(started(run));
    await publishRecords(dev, MODEL);
    let failures = 0;
    const handle = async (record: AuditRecord): Promise<void> => {
      if (record.seq === 1 && failures === 0) {
        failures += 1;
        throw new Error('throttled');
      }
      heard.push(record);
    };
    await expect(readPeer(staging, 'dev', MODEL, handle)).rejects.toThrow('throttled');
    expect(await readPeer(staging, 'dev', MODEL, handle)).toEqual({ read: 1, upTo: 1 });
    expect(runs()).toEqual(['a', 'b']);
  });

  it('hears no more than a page at a time', async () => {
    for (let index = 0; index < 103; index += 1) await dev.says(started(`run-${index}`));
    await publishRecords(dev, MODEL);
    expect(await read()).toEqual({ read: 100, upTo: 99 });
    expect(await read()).toEqual({ read: 3, upTo: 102 });
  });
});

describe('the champion that dev compares with', () => {
  it('is the model’s baseline until prod shows a pointer, and then what the pointer names', async () => {
    const here = await scene();
    const own = here.environment('dev');
    await expect(championOf(own, 'prod', MODEL)).rejects.toMatchObject({ code: 'NO_BASELINE' });
    await here.begin();
    await publishRecords(here.prod, MODEL);
    // A key that nobody has pinned is not trusted for want of another.
    await expect(championOf(own, 'prod', MODEL)).rejects.toMatchObject({ code: 'PEER_NOT_TRUSTED' });
    await readPeer(own, 'prod', MODEL, followPeer(own));
    expect(await championOf(own, 'prod', MODEL)).toBe(here.baseline);
    const { release } = await here.letIn('better');
    expect(await championOf(own, 'prod', MODEL)).toBe(here.baseline);
    await publishRecords(here.prod, MODEL);
    expect(await championOf(own, 'prod', MODEL)).toBe(release);
    // An older pointer, shown as if it were the newest, is a fault, and so is none.
    const newest = `prod/pointers/${MODEL}/000000000002`;
    const pointer = here.shown.objects.get(newest);
    here.shown.objects.delete(newest);
    await expect(championOf(own, 'prod', MODEL)).rejects.toMatchObject({ code: 'POINTER_REGRESSED' });
    here.shown.objects.delete(`prod/pointers/${MODEL}/000000000001`);
    await expect(championOf(own, 'prod', MODEL)).rejects.toMatchObject({ code: 'POINTER_HIDDEN' });
    here.shown.objects.set(newest, pointer ?? '');
    expect(await championOf(own, 'prod', MODEL)).toBe(release);
  });
});

describe('a change and its record', () => {
  const change = (operation: string, run = operation) => ({
    model: MODEL,
    operation,
    writes: [
      { kind: 'put', item: { ...keys.run(MODEL, run), status: 'running' }, condition: { kind: 'absent' } },
    ] as const,
    event: started(run),
  });

  it('are done once per operation, whoever asks', async () => {
    expect(await recordChange(dev, change('a'))).toMatchObject({ kind: 'recorded', seq: 0 });
    expect(await recordChange(dev, change('a'))).toMatchObject({ kind: 'already-recorded', seq: 0 });
    expect(await dev.codes()).toHaveLength(1);
  });

  it('are both refused when a condition fails, and the chain does not move', async () => {
    await recordChange(dev, change('a'));
    expect(await recordChange(dev, change('b', 'a'))).toEqual({
      kind: 'refused',
      failed: [{ pk: `RUN#${MODEL}`, sk: 'a' }],
    });
    expect(await dev.codes()).toHaveLength(1);
  });

  it('find their place in the chain, however many come at once', async () => {
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, index) => recordChange(dev, change(`at-once-${index}`))),
    );
    expect(results.map(({ kind }) => kind)).toEqual(Array.from({ length: 12 }, () => 'recorded'));
    expect((await dev.chain()).map(({ seq }) => seq)).toEqual(Array.from({ length: 12 }, (_, index) => index));
  });
});
