import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryStoredBytes } from '#adapters/memory/stored-bytes.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { openManifest } from '#domain/release/manifest.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { checkIntegrity } from '#use-cases/supervision/check-integrity.ts';
import { batch, begin, here, prod } from './_batch-inference.ts';
import { bytes, hours, MODEL, publishRecords } from './_environments.ts';

const Failed = z.object({ object: z.string(), finding: z.string(), affects: z.array(z.string()) });
const Done = z.object({ objects: z.number(), findings: z.array(z.string()), isDone: z.boolean() });

/** Prod with a baseline that is served, its predictions and its published chain. */
beforeEach(async () => {
  await begin();
  await batch('run-1');
  await publishRecords(prod, MODEL);
  here.clock.at += hours(1);
  await run();
});

/** One run, as the function makes it. @param units how many units there is time for */
async function run(units = Infinity) {
  let left = units;
  const stored = memoryStoredBytes('prod', { ...prod, shown: here.shown });
  const has = { releases: true, catalogue: true };
  const check = checkIntegrity({ ...prod, stored, has, hasTime: () => (left -= 1) >= 0 });
  return Done.parse(await check({}));
}

/** A month later: one run makes good all that was due in it. */
async function rotate(): Promise<void> {
  here.clock.at += hours(30 * 24);
  await run();
}

const events = async (code: string) => (await prod.chain()).filter((record) => record.code === code);
const failed = async () => (await events('INTEGRITY_FAILED')).map(({ details }) => Failed.parse(details));

async function served(): Promise<Digest> {
  const pointer = await readPointer(prod.ledger, MODEL);
  return pointer?.current ?? digestOf('');
}

describe('the integrity of stored objects', () => {
  it('goes on past an object that cannot be looked at, keeps how far it has come, and says so', async () => {
    here.clock.at += hours(30 * 24);
    let first: string | undefined;
    const memory = memoryStoredBytes('prod', { ...prod, shown: here.shown });
    const stored = new Proxy(memory, {
      get(target, name: keyof typeof memory) {
        const method = target[name] as (...given: unknown[]) => unknown;
        return (...given: unknown[]) => {
          first ??= JSON.stringify(given);
          if (first === JSON.stringify(given)) throw new TypeError('forbidden');
          return method.apply(target, given);
        };
      },
    });
    const check = checkIntegrity({ ...prod, stored, has: { releases: true, catalogue: true }, hasTime: () => true });
    await expect(check({})).rejects.toThrow('1 failed, the others are done');
    // What was looked at is done: the next run begins after it.
    expect((await run()).objects).toBe(0);
  });

  it('is checked within the days of the policy, each object once, and nothing is found where all is whole', async () => {
    const manifest = openManifest(await prod.releases.read(await served()));
    const days = (await readPredictions(prod.ledger, MODEL)).length;
    let objects = 0;
    const records = (await prod.chain()).length;
    for (let hour = 0; hour < 30 * 24; hour += 1) {
      here.clock.at += hours(1);
      objects += (await run()).objects;
    }
    // A manifest and its files; predictions and features; the key, the records and the pointer that was published.
    expect(objects).toBe(1 + manifest.files.length + 2 * days + 1 + records + 1);
    expect(days).toBeGreaterThan(0);
    expect(await failed()).toEqual([]);
  });

  it('alerts a missing file of the served release once, and names what depends on it; then that it is whole again', async () => {
    const manifest = openManifest(await prod.releases.read(await served()));
    const file = manifest.files.find(({ path }) => path === 'model.onnx')?.sha256 ?? digestOf('');
    const content = prod.releases.objects.get(file) ?? bytes('');
    prod.releases.objects.delete(file);
    await rotate();
    await rotate();
    expect(await failed()).toEqual([
      { object: `model.onnx of ${await served()}`, finding: 'missing', affects: ['the served release 0.1.0'] },
    ]);
    prod.releases.objects.set(file, content);
    await run();
    expect(await events('INTEGRITY_RESTORED')).toHaveLength(1);
    // It comes back, and people are told again, within an hour of the rotation that sees it.
    prod.releases.objects.delete(file);
    await rotate();
    expect(await failed()).toHaveLength(2);
  });

  it.each([
    [
      'a manifest with other bytes',
      async () => {
        prod.releases.objects.set(await served(), bytes('{}'));
        return ['differs', 'the served release 0.1.0'];
      },
    ],
    [
      'predictions that were overwritten',
      async () => {
        const [manifest] = await readPredictions(prod.ledger, MODEL);
        const found = prod.lake.objects.get(manifest?.object.key ?? '');
        if (manifest === undefined || found === undefined) throw new Error('no predictions');
        prod.lake.objects.set(manifest.object.key, { ...found, content: bytes('others') });
        return ['differs', `predictions of ${manifest.day}`];
      },
    ],
    [
      'features that are gone',
      async () => {
        const [manifest] = await readPredictions(prod.ledger, MODEL);
        prod.lake.objects.delete(`${MODEL}/features/${manifest?.features}`);
        return ['missing', `features of ${manifest?.day}`];
      },
    ],
    [
      'a published record that is gone',
      async () => {
        here.shown.objects.delete(`prod/chain/${MODEL}/${'1'.padStart(12, '0')}`);
        return ['missing', 'record 1, for the environments that follow'];
      },
    ],
    [
      'a published record that says something else, well signed',
      async () => {
        const key = (seq: number): string => `prod/chain/${MODEL}/${String(seq).padStart(12, '0')}`;
        const other = here.shown.objects.get(key(0));
        if (other === undefined) throw new Error('no record');
        here.shown.objects.set(key(2), other);
        return ['differs', 'record 2, for the environments that follow'];
      },
    ],
  ])(
    'is lost by %s',
    async (_, damage) => {
      const [finding, affects] = await damage();
      await rotate();
      expect((await failed()).map((each) => [each.finding, ...each.affects])).toEqual([[finding, affects]]);
    },
    30_000,
  );

  it('is checked on where a run had no time for all, without an object twice', async () => {
    here.clock.at += hours(30 * 24);
    let objects = 0;
    let runs = 0;
    for (let isDone = false; !isDone; runs += 1) {
      const done = await run(2);
      objects += done.objects;
      ({ isDone } = done);
    }
    expect(runs).toBeGreaterThan(2);
    here.clock.at += hours(30 * 24);
    expect((await run()).objects).toBe(objects);
  });

  it('is alerted once by two runs at the same time', async () => {
    prod.releases.objects.delete(await served());
    here.clock.at += hours(30 * 24);
    await Promise.all([run(), run(), run()]);
    expect(await failed()).toHaveLength(1);
  });

  it('has no open finding on what nothing refers to any more', async () => {
    const [manifest] = await readPredictions(prod.ledger, MODEL);
    if (manifest === undefined) throw new Error('no predictions');
    prod.lake.objects.delete(manifest.object.key);
    await rotate();
    expect(await failed()).toHaveLength(1);
    const other = (await readPredictions(prod.ledger, MODEL))[1];
    if (other === undefined) throw new Error('no second day');
    await prod.ledger.transact(
      [{ kind: 'put', item: { pk: `PREDICTION#${MODEL}`, sk: manifest.day, ...manifest, object: other.object } }],
      'replaced',
    );
    await run();
    expect((await events('INTEGRITY_RESTORED')).map(({ details }) => details['found'])).toEqual([
      'nothing refers to it any more',
    ]);
  });
});
