import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { RuleId } from '#domain/refusal/refusal.ts';
import { rowsJson } from '#domain/data/event-json.ts';
import { SQL } from '#test/use-cases/_environments.ts';
import { endpoint, inputs, online, serving, TODAY, YESTERDAY } from './_endpoint.ts';

const HOUR = 3_600_000;

describe('the release that answers', () => {
  it('is the one that the pointer names, and the answer says what it was made from', async () => {
    const here = await serving();
    const { status, json, probabilities, entry } = await here.infer(inputs([{}, { id: 'e2' }], [{ id: 'c1' }]), {
      id: 'request 1',
    });
    expect(status).toBe(200);
    expect(probabilities).toEqual([0.1, 0.1]);
    expect(json).toMatchObject({ model_name: 'toy', model_version: '0.1.1', id: 'request 1' });
    expect(json.parameters).toMatchObject({
      model: 'toy',
      version: '0.1.1',
      digest: here.first,
      arm: 'champion',
      pointer_seq: 1,
      aggregates: here.list,
      aggregates_until: YESTERDAY,
    });
    expect(json.outputs?.[1]).toMatchObject({
      name: 'event_digest',
      data: entry?.raw?.events.map((event) => digestOf(rowsJson(event))),
    });
    expect(entry).toMatchObject({ request: { day: TODAY }, raw: { context: [{ id: 'c1', later: 0.5 }] } });
    expect(here.features.opened).toEqual([{ sql: SQL['features/features.sql'], days: ['2026-02-28', YESTERDAY] }]);
  });

  it('is the new champion after the pointer moved while the host was frozen for an hour', async () => {
    const here = await serving();
    await here.infer();
    here.clock.at += HOUR;
    const second = await here.release('release 200');
    await here.promote(second, '0.1.2');
    const { json, probabilities } = await here.infer();
    expect(probabilities).toEqual([0.2]);
    expect(json.parameters).toMatchObject({ digest: second, version: '0.1.2', pointer_seq: 2 });
  });

  it('is read from the pointer again once it was read so many seconds ago as the model says, and not before', async () => {
    const here = await serving();
    await here.infer();
    const reads = here.reads.pointer;
    await here.promote(await here.release('release 200'));
    here.clock.at += 5_000;
    expect((await here.infer()).probabilities).toEqual([0.1]);
    expect(here.reads.pointer).toBe(reads);
    here.clock.at += 1;
    expect((await here.infer()).probabilities).toEqual([0.2]);
    expect(here.reads.pointer).toBe(reads + 1);
    // A clock that was set back makes no reading last longer.
    here.clock.at -= HOUR;
    await here.infer();
    expect(here.reads.pointer).toBe(reads + 2);
  });

  it('is taken from memory on a rollback to the last confirmed one, also where the host started after the promotion', async () => {
    for (const isWarm of [true, false]) {
      const here = await serving();
      if (isWarm) await here.infer();
      here.clock.at += HOUR;
      await here.promote(await here.release('release 200'));
      expect((await here.infer()).probabilities).toEqual([0.2]);
      const [loads, engines] = [here.models.opened.length, here.features.opened.length];
      expect(here.models.opened.toSorted()).toEqual(['release 100', 'release 200']);
      await here.rollBack();
      here.clock.at += 6_000;
      expect((await here.infer()).probabilities).toEqual([0.1]);
      expect([here.models.opened.length, here.features.opened.length]).toEqual([loads, engines]);
      // What was rolled back is let go.
      expect([here.models.open, here.features.inUse()]).toEqual([1, 1]);
      await here.core.close();
      expect([here.models.open, here.features.inUse()]).toEqual([0, 0]);
    }
  });

  it('is not replaced by another one where it cannot be loaded: 503 says why, and it is tried again', async () => {
    const here = await serving();
    await here.infer();
    here.clock.at += HOUR;
    const tampered = await here.release('release 300');
    await here.promote(tampered);
    const onnx = digestOf('MODEL release 300');
    here.prod.releases.objects.set(onnx, new Uint8Array([1]));
    const refused = await here.infer();
    expect(refused).toMatchObject({ status: 503, fault: { code: 'ARTIFACT_TAMPERED' } });
    expect(refused.json.error).toMatch(/^champion-loads: sha256:.*ARTIFACT_TAMPERED: object .* does not hash/);
    expect(await here.send('GET', '/v2/health/ready')).toMatchObject({ status: 503, json: { ready: false } });
    expect(await here.send('GET', '/v2/health/live')).toMatchObject({ status: 200, json: { live: true } });
    here.prod.releases.objects.set(onnx, new TextEncoder().encode('MODEL release 300'));
    here.clock.at += 6_000;
    expect((await here.infer()).probabilities).toEqual([0.3]);
  });

  it('is refused where its model does not load, has no endpoint, or nothing is promoted', async () => {
    const here = await endpoint();
    const says = async (rule: RuleId): Promise<string> => {
      here.clock.at += 6_000;
      const { status, json } = await here.infer();
      expect(status).toBe(503);
      expect(json.error).toContain(`${rule}: `);
      return (json.error ?? '').slice(rule.length + 2);
    };
    expect(await says('champion-promoted')).toBe('nothing is promoted of toy; promote a release');
    await here.promote(await here.release('broken'));
    expect(await says('champion-loads')).toMatch(/^sha256:.*: onnx-loads: no graph; export it again; roll back/);
    const { online: _, ...batchOnly } = online;
    await here.promote(await here.release('batch', batchOnly));
    expect(await says('champion-online')).toMatch(/^sha256:.* is a toy without online; /);
    // What cannot load by itself is not loaded again and again.
    expect(here.models.opened).toEqual(['broken']);
  });

  it('is refused while the pointer cannot be read', async () => {
    const here = await serving();
    await here.infer();
    here.clock.at += 6_000;
    here.during.read = () => Promise.reject(new Error('no answer'));
    expect(await here.infer()).toMatchObject({ status: 503, json: { error: 'pointer-read: no answer; try again' } });
    delete here.during.read;
    expect((await here.infer()).status).toBe(200);
  });
});

describe('requests at the same time', () => {
  it('share one reading and one load, and none is answered by what was served before', async () => {
    const here = await serving();
    await here.infer();
    here.clock.at += HOUR;
    await here.promote(await here.release('release 200'));
    const [reads, loads] = [here.reads.pointer, here.models.opened.length];
    const answers = await Promise.all(Array.from({ length: 20 }, () => here.infer()));
    expect(new Set(answers.map(({ probabilities }) => probabilities?.[0]))).toEqual(new Set([0.2]));
    expect([here.reads.pointer, here.models.opened.length]).toEqual([reads + 1, loads + 1]);
  });

  it('read again where the reading that they waited for began too long before them', async () => {
    const here = await serving();
    await here.infer();
    here.clock.at += HOUR;
    await here.promote(await here.release('release 200'));
    const third = await here.release('release 300');
    let late: ReturnType<typeof here.infer> | undefined;
    here.during.load = async () => {
      delete here.during.load;
      // The load takes ten seconds; meanwhile the pointer moves on, and another request arrives.
      here.clock.at += 10_000;
      await here.promote(third);
      late = here.infer();
    };
    expect((await here.infer()).probabilities).toEqual([0.2]);
    expect((await late)?.probabilities).toEqual([0.3]);
  });

  it('are all answered over twenty switches, each by the release before or after, and end with what is served', async () => {
    const here = await serving();
    const served = [here.first, await here.release('release 200')];
    const digests = new Set<unknown>();
    let answered = 0;
    const waiting: Promise<void>[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      const before = served[turn % 2];
      const after = served[(turn + 1) % 2] ?? here.first;
      for (let each = 0; each < 50; each += 1) {
        if (each === 25) {
          await here.promote(after);
          here.clock.at += 5_001;
        }
        const request = here.infer().then(({ status, json }) => {
          expect(status, json.error).toBe(200);
          const digest = json.parameters?.['digest'];
          expect(each < 25 ? [before, after] : [after]).toContain(digest);
          digests.add(digest);
          answered += 1;
        });
        waiting.push(request);
        if (each % 10 === 0) await request;
      }
      await Promise.all(waiting.splice(0));
    }
    expect(answered).toBe(1000);
    expect(digests).toEqual(new Set(served));
    // Each was loaded once: the one beside the champion stays.
    expect(here.models.opened).toHaveLength(2);
  });

  it('keep the release that they began with until they end, and close it then', async () => {
    const here = await serving();
    await here.infer();
    // Two promotions later the first one is neither served nor the target of a rollback.
    await here.promote(await here.release('release 200'));
    await here.promote(await here.release('release 300'));
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    here.during.predict = () => {
      delete here.during.predict;
      reached.resolve();
      return held.promise;
    };
    const old = here.infer();
    await reached.promise;
    here.clock.at += 6_000;
    expect((await here.infer()).probabilities).toEqual([0.3]);
    expect(here.models.open).toBe(3);
    held.resolve();
    expect((await old).probabilities).toEqual([0.1]);
    expect(here.models.open).toBe(2);
  });
});

describe('daily aggregates', () => {
  it('are loaded again when the list changes, and are those that a batch of the day sees', async () => {
    const here = await endpoint();
    await here.promote(await here.release('release 100'));
    await here.aggregates('2026-02-26', '2026-02-28');
    expect((await here.infer()).json.parameters).toMatchObject({ aggregates_until: '2026-02-28' });
    await here.aggregates('2026-02-27', YESTERDAY);
    here.clock.at += 6_000;
    expect((await here.infer()).json.parameters).toMatchObject({ aggregates_until: YESTERDAY });
    const yesterday = await here.infer(inputs([{ at: `${YESTERDAY}T23:00:00.5Z` }]));
    expect(yesterday.json.parameters).toMatchObject({ aggregates_until: '2026-02-28' });
    expect(here.features.opened.map(({ days }) => days)).toEqual([
      ['2026-02-28'],
      ['2026-02-28', YESTERDAY],
      ['2026-02-27', '2026-02-28'],
    ]);
    expect(here.features.inUse()).toBe(2);
    // The next day those of the new day are there; the day of the newest aggregates is served until there are newer ones.
    here.clock.at += 24 * HOUR;
    const tomorrow = inputs([{ at: '2026-03-03T08:00:00Z' }]);
    expect((await here.infer(tomorrow)).status).toBe(200);
    expect(here.features.inUse()).toBe(3);
    await here.aggregates('2026-02-28', TODAY);
    here.clock.at += 6_000;
    expect((await here.infer(tomorrow)).status).toBe(200);
    expect(here.features.inUse()).toBe(1);
  });

  it('of a history that is replayed serve the day that they are for and the one before it, and are ready while lists are published', async () => {
    const here = await endpoint();
    await here.promote(await here.release('release 100'));
    await here.aggregates('2001-01-28', '2001-01-31');
    expect((await here.infer(inputs([{ at: '2001-02-01T08:00:00Z' }]))).json.parameters).toMatchObject({
      aggregates_until: '2001-01-31',
    });
    expect((await here.infer(inputs([{ at: '2001-02-02T08:00:00Z' }]))).json.error).toContain(
      'served are 2001-01-31, 2001-02-01',
    );
    // Of that day a batch has published: what was answered can be compared.
    expect((await here.infer(inputs([{ at: '2001-01-31T08:00:00Z' }]))).json.parameters).toMatchObject({
      aggregates_until: '2001-01-30',
    });
    const ready = () => here.send('GET', '/v2/health/ready');
    expect((await ready()).status).toBe(200);
    here.clock.at += 72 * HOUR;
    expect(await ready()).toMatchObject({ status: 503, json: { error: expect.stringContaining('3 days ago') } });
  });

  it('of which the oldest that a day looks back on are not listed answer nothing of that day', async () => {
    const here = await endpoint();
    await here.promote(await here.release('release 100'));
    await here.aggregates('2026-02-28', '2026-02-28', online, '2026-01-01');
    const answer = await here.infer(inputs([{ at: `${YESTERDAY}T08:00:00Z` }]));
    expect(answer).toMatchObject({ status: 503, json: { error: expect.stringContaining('aggregates of 2026-02-27') } });
    expect(answer.json.error?.split(':')[0]).toBe('aggregates-complete');
    await here.aggregates('2026-02-27', '2026-02-28', online, '2026-01-01');
    here.clock.at += 6_000;
    expect((await here.infer(inputs([{ at: `${YESTERDAY}T08:00:00Z` }]))).status).toBe(200);
  });

  it('that are too old, not published, or not there answer nothing', async () => {
    const here = await endpoint();
    await here.promote(await here.release('release 100'));
    const says = async (rule: RuleId): Promise<string> => {
      here.clock.at += 6_000;
      const { status, json } = await here.infer();
      expect(status).toBe(503);
      expect(json.error).toContain(`${rule}: `);
      return (json.error ?? '').slice(rule.length + 2);
    };
    expect(await says('aggregates-published')).toMatch(/^no list of aggregates is published; /);
    await here.aggregates('2026-02-25', '2026-02-27');
    expect(await says('aggregates-recent')).toMatch(/^no aggregates are of the days before 2026-03-02; /);
    await here.aggregates('2026-02-26', '2026-02-28');
    here.prod.lake.objects.clear();
    expect(await says('aggregates-load')).toMatch(/^.* is not there; /);
    await here.aggregates('2026-02-26', '2026-02-28');
    expect((await here.infer()).status).toBe(200);
  });

  it('are not needed by a model that has none', async () => {
    const here = await endpoint();
    const of = { ...online, features: { ...online.features, aggregateDays: 0 } };
    await here.promote(await here.release('release 100', of));
    const { status, json } = await here.infer();
    expect(status).toBe(200);
    expect(json.parameters).toMatchObject({ aggregates: '', aggregates_until: '' });
    expect(await here.prod.ledger.get(keys.aggregates('toy', here.prod.scorer))).toBeUndefined();
  });
});
