import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditRecord } from '#domain/audit/chain.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { canonicalJson } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { openEnvelope, PAYLOAD_TYPES } from '#domain/signature/dsse.ts';
import { alertPeople } from '#use-cases/announcements/alert-people.ts';
import { publishModels } from '#use-cases/announcements/publish-records.ts';
import { recordChange } from '#use-cases/audit/record-change.ts';
import { type Environment, MODEL, world, publishRecords } from './_environments.ts';

const started = (run: string): AuditEvent => ({
  code: 'RETRAINING_STARTED',
  actor: 'schedule:weekly',
  release: null,
  details: { run, asOf: '2026-03-01', trigger: 'schedule' },
});

let all: ReturnType<typeof world>;
let dev: Environment;
beforeEach(() => {
  all = world();
  dev = all.environment('dev');
});

describe('publishing', () => {
  it('signs every record once, in order, and tells peers, rules and people', async () => {
    for (const run of ['a', 'b', 'c']) await dev.says(started(run));
    await dev.says({
      code: 'CANDIDATES_REJECTED',
      actor: 'pipeline:validation',
      release: null,
      details: { run: 'c', asOf: '2026-03-01', reasons: ['worse'] },
    });
    expect(await publishRecords(dev, MODEL)).toEqual({ published: 4, upTo: 3 });
    expect(await publishRecords(dev, MODEL)).toEqual({ published: 0, upTo: 3 });
    expect(dev.announcements.announced.map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
    expect(dev.announcements.emitted).toEqual(await dev.chain());
    expect(dev.announcements.alerted.map(({ code }) => code)).toEqual(['CANDIDATES_REJECTED']);
    const pem = await dev.signer.publicKeyPem();
    for (const { seq, envelope } of await all.shown.peers.recordsAfter('dev', MODEL, -1)) {
      const payload = Buffer.from(openEnvelope(envelope, PAYLOAD_TYPES.auditRecord, pem)).toString();
      expect(payload).toBe(canonicalJson((await dev.chain())[seq]));
    }
  });

  it('goes on where it was interrupted, and shows nothing twice', async () => {
    for (const run of ['a', 'b', 'c']) await dev.says(started(run));
    let failures = 0;
    const announcements = {
      ...dev.announcements,
      announce: async (record: AuditRecord) => {
        if (record.seq === 1 && failures === 0) {
          failures += 1;
          throw new Error('the topic is not there');
        }
        return dev.announcements.announce(record);
      },
    };
    await expect(publishRecords({ ...dev, announcements }, MODEL)).rejects.toThrow('the topic is not there');
    expect(await publishRecords({ ...dev, announcements }, MODEL)).toEqual({ published: 2, upTo: 2 });
    expect((await all.shown.peers.recordsAfter('dev', MODEL, -1)).map(({ seq }) => seq)).toEqual([0, 1, 2]);
  });

  it('moves its cursor record by record, so that nothing before the one that failed is done again', async () => {
    for (const run of ['a', 'b', 'c']) await dev.says(started(run));
    const announcements = {
      ...dev.announcements,
      announce: async (record: AuditRecord) => {
        if (record.seq === 2) throw new Error('the topic is not there');
        return dev.announcements.announce(record);
      },
    };
    await expect(publishRecords({ ...dev, announcements }, MODEL)).rejects.toThrow('the topic is not there');
    expect(await dev.ledger.get(keys.cursor('published', MODEL))).toMatchObject({ seq: 1 });
    await publishRecords(dev, MODEL);
    expect(dev.announcements.announced.map(({ seq }) => seq)).toEqual([0, 1, 2]);
    expect(dev.announcements.emitted.map(({ seq }) => seq)).toEqual([0, 1, 2]);
  });

  it('works off a backlog in as many invocations as it takes, and reads no more than a bucket of the chain at a time', async () => {
    const backlog = 2300;
    for (let index = 0; index < backlog; index += 1) await dev.says(started(`run-${index}`));
    let most = 0;
    const ledger = {
      ...dev.ledger,
      query: async (...args: Parameters<typeof dev.ledger.query>) => {
        const items = await dev.ledger.query(...args);
        most = Math.max(most, items.length);
        return items;
      },
    };
    // A record takes a second, and an invocation has five minutes.
    const announcements = {
      ...dev.announcements,
      emit: async (record: AuditRecord) => {
        dev.clock.at += 1000;
        return dev.announcements.emit(record);
      },
    };
    const invoke = () => publishRecords({ ...dev, ledger, announcements }, MODEL, new Date(dev.clock.at + 5 * 60_000));
    let invocations = 0;
    for (let upTo = -1; upTo < backlog - 1; invocations += 1) {
      const result = await invoke();
      expect(result.published).toBeLessThanOrEqual(300);
      upTo = result.upTo ?? -1;
    }
    expect(invocations).toBe(8);
    expect(most).toBeLessThanOrEqual(1000);
    expect(dev.announcements.emitted.map(({ seq }) => seq)).toEqual(Array.from({ length: backlog }, (_, seq) => seq));
    // There is progress even where the time is over before it begins.
    await dev.says(started('last'));
    expect(await publishRecords(dev, MODEL, new Date(0))).toEqual({ published: 1, upTo: backlog });
  });

  it('gives each model its share of the time, and lets none wait for another that fails', async () => {
    const models = [MODEL, 'slow', 'other'];
    for (const model of models)
      for (const run of ['a', 'b', 'c', 'd'])
        await recordChange(dev, { model, operation: run, writes: [], event: started(run) });
    const announcements = {
      ...dev.announcements,
      announce: async (record: AuditRecord) => {
        if (record.model === 'toy') throw new Error('out of order');
        dev.clock.at += 1000;
      },
    };
    const publishing = publishModels({ ...dev, announcements }, models, new Date(dev.clock.at + 4000));
    await expect(publishing).rejects.toMatchObject({
      code: 'ITEMS_FAILED',
      details: { items: [`publication of ${MODEL}`], results: [{ upTo: -1 }, { upTo: 1 }, { upTo: 1 }] },
    });
  });

  it('is harmless when two do it at once', async () => {
    for (const run of ['a', 'b']) await dev.says(started(run));
    await Promise.all([publishRecords(dev, MODEL), publishRecords(dev, MODEL)]);
    expect(await dev.ledger.get(keys.cursor('published', MODEL))).toMatchObject({ seq: 1 });
    expect((await all.shown.peers.recordsAfter('dev', MODEL, -1)).map(({ seq }) => seq)).toEqual([0, 1]);
  });
});

/** What is alerted. */
const alarming = (run: string): AuditEvent => ({
  code: 'CANDIDATES_REJECTED',
  actor: 'pipeline:validation',
  release: null,
  details: { run, asOf: '2026-03-01', reasons: ['worse'] },
});

describe('alerts', () => {
  beforeEach(async () => {
    for (const run of ['a', 'b', 'c']) {
      await dev.says(started(run));
      await dev.says(alarming(run));
    }
  });
  const ALARMING = [1, 3, 5];
  const mailed = () => dev.announcements.alerted.map(({ seq }) => seq);
  const repeated = () => dev.announcements.repeated.map(({ seq }) => seq);

  it('are mailed once, however often and by however many the chain is published', async () => {
    await Promise.all(Array.from({ length: 5 }, () => publishRecords(dev, MODEL)));
    await publishRecords(dev, MODEL);
    expect(mailed()).toEqual(ALARMING);
    expect(repeated()).toEqual([]);
  });

  it('are mailed once though nothing can be published, and though publication begins anew', async () => {
    const announcements = {
      ...dev.announcements,
      announce: async () => {
        throw new Error('the topic is not there');
      },
    };
    for (let time = 0; time < 3; time += 1)
      await expect(publishRecords({ ...dev, announcements }, MODEL)).rejects.toThrow('the topic is not there');
    expect(mailed()).toEqual(ALARMING);
    await publishRecords(dev, MODEL);
    expect(mailed()).toEqual(ALARMING);
  });

  it('keep nothing from being published', async () => {
    const announcements = {
      ...dev.announcements,
      alert: async () => {
        throw new Error('the topic is not there');
      },
    };
    await expect(publishRecords({ ...dev, announcements }, MODEL)).rejects.toThrow(`alerts of ${MODEL}`);
    expect(dev.announcements.announced.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5]);
    await publishRecords(dev, MODEL);
    expect(mailed()).toEqual(ALARMING);
    // SNS said that it failed, and nobody knows whether it did.
    expect(repeated()).toEqual([1]);
  });

  it('that an earlier version of this code has mailed are not mailed again', async () => {
    await dev.ledger.transact([{ kind: 'put', item: { ...keys.cursor('published', MODEL), seq: 3 } }], 'earlier');
    await publishRecords(dev, MODEL);
    expect(mailed()).toEqual([5]);
  });

  /** A publisher that dies with its n-th call of anything, before or after the call took effect. */
  const dying = (at: number, when: 'before' | 'after') => {
    let calls = 0;
    const through = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        calls += 1;
        if (calls > at || (calls === at && when === 'before')) throw new Error('the function was ended');
        const result = await call(...args);
        if (calls >= at) throw new Error('the function was ended');
        return result;
      };
    };
    const { ledger, announcements } = dev;
    return {
      publisher: {
        ...dev,
        ledger: {
          get: through((...args: Parameters<typeof ledger.get>) => ledger.get(...args)),
          getMany: through((...args: Parameters<typeof ledger.getMany>) => ledger.getMany(...args)),
          query: through((...args: Parameters<typeof ledger.query>) => ledger.query(...args)),
          transact: through((...args: Parameters<typeof ledger.transact>) => ledger.transact(...args)),
        },
        announcements: {
          ...announcements,
          alert: through((...args: Parameters<typeof announcements.alert>) => announcements.alert(...args)),
        },
      },
      isOver: () => calls < at,
    };
  };

  it.each([['before' as const], ['after' as const]])(
    'never get lost, and a repeated one says so, wherever a publisher dies (%s a call took effect)',
    async (when) => {
      const twice = new Map<number, number>();
      for (let at = 1; ; at += 1) {
        all = world();
        dev = all.environment('dev');
        for (const run of ['a', 'b', 'c']) {
          await dev.says(started(run));
          await dev.says(alarming(run));
        }
        const { publisher, isOver } = dying(at, when);
        await alertPeople(publisher, MODEL).catch(() => undefined);
        if (isOver()) break;
        // While the claim lasts, nobody mails what its owner may be mailing.
        const before = mailed();
        await alertPeople(dev, MODEL);
        dev.clock.at += 10 * 60_000;
        await alertPeople(dev, MODEL);
        expect([...new Set(mailed())], `died at ${at}`).toEqual(ALARMING);
        // Each was mailed at most once without saying that it may be a repetition, and at most one was mailed twice.
        const certain = dev.announcements.alerted.length - repeated().length;
        expect(certain).toBeLessThanOrEqual(ALARMING.length);
        expect(repeated().length).toBeLessThanOrEqual(1);
        if (mailed().length > ALARMING.length) {
          expect(repeated()).toEqual(before.slice(-1));
          twice.set(at, repeated()[0] ?? -1);
        }
      }
      // The window: SNS took the alert, and the note of it was not written.
      expect([...new Set(twice.values())]).toEqual(ALARMING);
    },
  );

  it('are repeated by nobody while the claim of a sender lasts', async () => {
    let others = 0;
    const announcements = {
      ...dev.announcements,
      async alert(...args: Parameters<typeof dev.announcements.alert>) {
        others += (await alertPeople(dev, MODEL)).alerted;
        return dev.announcements.alert(...args);
      },
    };
    expect(await alertPeople({ ...dev, announcements }, MODEL)).toEqual({ alerted: 3 });
    expect(others).toBe(0);
    expect(mailed()).toEqual(ALARMING);
  });
});
