import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '#domain/audit/events.ts';
import { GatehouseError } from '#domain/error.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { TrainingJobState } from '#ports/training-jobs.ts';
import { keepingFaults, recordFaults } from '#use-cases/audit/record-faults.ts';
import { reconcileEnvironment } from '#use-cases/reconciler/reconcile-environment.ts';
import { type Environment, MODEL, world, publishRecords } from './_environments.ts';

let dev: Environment;
let staging: Environment;
beforeEach(async () => {
  const all = world();
  [dev, staging] = [all.environment('dev'), all.environment('staging')];
  for (const own of [dev, staging]) await isSupervised(own, '2099-01-01T00:00:00.000Z');
});

/** The supervisor's newest round. */
async function isSupervised({ ledger, environment }: Environment, at: string): Promise<void> {
  const item = { ...keys.supervision(environment), at, since: at, schedules: [] };
  await ledger.transact([{ kind: 'put', item }], `round ${at}`);
}
const started: AuditEvent = {
  code: 'RETRAINING_STARTED',
  actor: 'schedule:weekly',
  release: null,
  details: { run: 'run-1', asOf: '2026-03-01', trigger: 'schedule' },
};

describe('the reconciler', () => {
  const round = async (own: Environment, states: Record<string, TrainingJobState> = {}) => {
    const asked: string[] = [];
    const result = await reconcileEnvironment({
      ...own,
      peers: ['dev', 'control'],
      models: [MODEL],
      jobs: { describe: async (job) => states[job] ?? { kind: 'running' } },
      inbox: {
        subscribe: async (peer) => (peer === 'dev' ? 'subscribed' : 'absent'),
        askToRead: async (peer) => {
          asked.push(`read ${peer}`);
        },
        askToPublish: async () => {
          asked.push('publish');
        },
      },
    });
    return { result, asked };
  };

  it('keeps the inbox subscribed, and has every peer read', async () => {
    const { result, asked } = await round(staging);
    expect(result).toMatchObject({ subscribed: ['dev'], republished: [], polled: 2 });
    expect(asked).toEqual(['read dev', 'read control']);
  });

  it('has published what was not, and nothing else', async () => {
    await staging.says(started);
    expect((await round(staging)).asked).toContain('publish');
    await publishRecords(staging, MODEL);
    expect((await round(staging)).asked).not.toContain('publish');
  });

  it('returns the tokens of training jobs that have ended, each once', async () => {
    for (const job of ['done', 'failed', 'running']) {
      dev.machines.waiting.add(`token ${job}`);
      await dev.ledger.transact(
        [{ kind: 'put', item: { ...keys.task('training', job), token: `token ${job}`, answered: false } }],
        job,
      );
    }
    const states = {
      done: { kind: 'completed', artifact: 's3://a', seconds: 3 },
      failed: { kind: 'failed', reason: 'out of memory' },
    } as const;
    expect((await round(dev, states)).result.tokensReturned.toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'done',
      'failed',
    ]);
    expect((await round(dev, states)).result.tokensReturned).toEqual([]);
    expect(dev.machines.answers.get('token done')).toEqual({ status: 'trained', artifact: 's3://a', seconds: 3 });
    expect(dev.machines.answers.get('token failed')).toEqual({
      status: 'failed',
      reason: 'out of memory (log: CloudWatch /aws/sagemaker/TrainingJobs, job failed)',
    });
    expect(dev.machines.waiting).toContain('token running');
  });

  describe('that meets faults', () => {
    const FAULT = new GatehouseError('LEDGER_BUSY', 'it is out of order');
    /** A round in which what is named fails; what was done all the same, and what the round said in the end. */
    const roundWith = async (
      failing: readonly string[],
      publish: (model: string) => Promise<unknown> = async () => {},
    ) => {
      const own = staging;
      const done: string[] = [];
      const meet = (name: string) => async (): Promise<void> => {
        if (failing.includes(name)) throw FAULT;
        done.push(name);
      };
      const ledger = {
        ...own.ledger,
        query: async (...args: Parameters<typeof own.ledger.query>) => {
          await meet(`query ${args[0]}`)();
          return own.ledger.query(...args);
        },
      };
      const error = await reconcileEnvironment({
        ...own,
        ledger,
        peers: ['dev', 'control'],
        models: [MODEL, 'other'],
        jobs: {
          describe: async (job) => {
            await meet(`job ${job}`)();
            return { kind: 'failed', reason: 'x' };
          },
        },
        inbox: {
          subscribe: async (peer) => {
            await meet(`subscribe ${peer}`)();
            return 'was-subscribed';
          },
          askToRead: (peer, model) => meet(`read ${model} ${peer}`)(),
          async askToPublish(model) {
            await meet(`publish ${model}`)();
            await publish(model);
          },
        },
      }).then(
        () => undefined,
        (thrown: unknown) => thrown as GatehouseError,
      );
      return { done: done.filter((name) => !name.startsWith('query')), error };
    };
    const told = async (own = staging) =>
      (await own.chain()).filter(({ code }) => code === 'ITEM_FAILED').map(({ details }) => details['item']);
    const minutes = (count: number): void => {
      staging.clock.at += count * 60_000;
    };
    const task = async (job: string): Promise<void> => {
      staging.machines.waiting.add(`token ${job}`);
      const item = { ...keys.task('training', job), token: `token ${job}`, model: MODEL, answered: false };
      await staging.ledger.transact([{ kind: 'put', item }], job);
    };

    it('does everything else, whichever item fails, and ends visibly', async () => {
      const all = ['subscribe dev', 'subscribe control', 'publish toy'];
      all.push(...[MODEL, 'other'].flatMap((model) => ['dev', 'control'].map((peer) => `read ${model} ${peer}`)));
      all.push('job a', 'job b');
      await staging.says(started);
      for (const failing of [...all, `query ${keys.promotions(MODEL)}`, `query ${keys.tasks('processing')}`]) {
        for (const job of ['a', 'b']) {
          await task(job);
          await staging.ledger.transact(
            [
              {
                kind: 'put',
                item: { ...keys.task('training', job), token: `token ${job}`, model: MODEL, answered: false },
              },
            ],
            `${failing} ${job}`.slice(0, 36),
          );
        }
        const { done, error } = await roundWith([failing]);
        expect(done).toEqual(all.filter((name) => name !== failing));
        expect(error).toMatchObject({
          code: 'ITEMS_FAILED',
          message: expect.stringMatching(/^1 failed, .*out of order/),
        });
      }
    });

    it('lets no promotion keep another from its end', async () => {
      for (const promotion of ['a', 'b'])
        await staging.ledger.transact(
          [{ kind: 'put', item: { ...keys.promotion(MODEL, promotion), status: 'no promotion' } }],
          promotion,
        );
      const { error } = await roundWith([]);
      expect(error?.details['items']).toEqual([`promotions of ${MODEL}: a`, `promotions of ${MODEL}: b`]);
    });

    it('tells people once of a fault that lasts, and again when it had gone', async () => {
      const bad = ['subscribe dev'];
      const published = (failing: readonly string[]) => roundWith(failing, (model) => publishRecords(staging, model));
      await published(bad);
      expect(await told()).toEqual([]);
      for (let round = 0; round < 3; round += 1) {
        minutes(5);
        await published(bad);
        expect(await told()).toEqual(['subscription to dev']);
      }
      expect((await staging.chain()).at(-1)?.details).toMatchObject({
        function: 'reconciler',
        error: 'LEDGER_BUSY',
        found: 'it is out of order',
      });
      await published([]);
      for (let round = 0; round < 3; round += 1) {
        minutes(5);
        await published(bad);
      }
      expect(await told()).toEqual(['subscription to dev', 'subscription to dev']);
    });

    it('records another fault of the same item, and none that passes', async () => {
      const failing = async (error: Error) => {
        minutes(5);
        const faults = [{ item: 'it', model: MODEL, error }];
        await recordFaults(staging, 'reconciler', faults);
      };
      for (const text of ['request 1', 'request 2', 'request 3'])
        await failing(new GatehouseError('LEDGER_BUSY', text));
      await failing(new GatehouseError('CHAIN_CONTENDED', 'once'));
      await failing(new GatehouseError('RECORD_VANISHED', 'a'));
      await failing(new GatehouseError('RECORD_VANISHED', 'b'));
      const records = (await staging.chain()).filter(({ code }) => code === 'ITEM_FAILED');
      expect(records.map(({ details }) => [details['error'], details['found']])).toEqual([
        ['LEDGER_BUSY', 'request 2'],
        ['RECORD_VANISHED', 'b'],
      ]);
    });

    it('does not take a fault for gone where nobody looked', async () => {
      await task('a');
      const publish = (model: string) => publishRecords(staging, model);
      await roundWith(['job a'], publish);
      minutes(5);
      await roundWith(['job a'], publish);
      await roundWith([`query ${keys.tasks('training')}`], publish);
      minutes(5);
      await roundWith(['job a'], publish);
      expect(await told()).toEqual(['training jobs: a']);
    });

    it('tells people of a supervisor that does not run, once, and not before it had time to', async () => {
      await isSupervised(dev, new Date(dev.clock.now().getTime() - 21 * 60_000).toISOString());
      const told = async () => {
        await round(dev);
        return (await dev.chain()).filter(({ code }) => code === 'ITEM_FAILED').map(({ details }) => details['error']);
      };
      expect(await told()).toEqual([]);
      dev.clock.at += 19 * 60_000;
      expect(await told()).toEqual([]);
      dev.clock.at += 2 * 60_000;
      expect(await told()).toEqual(['UNSUPERVISED']);
      expect(await told()).toEqual(['UNSUPERVISED']);
    });

    it('records what nobody publishes, and not what is about to be published', async () => {
      for (let round = 0; round < 3; round += 1) {
        await staging.says({ ...started, details: { ...started.details, run: `run-${round}` } });
        await roundWith([]);
        minutes(5);
        await publishRecords(staging, MODEL);
      }
      expect(await told()).toEqual([]);
      await staging.says({ ...started, details: { ...started.details, run: 'stuck' } });
      for (let round = 0; round < 3; round += 1) {
        expect((await roundWith([])).error).toBeUndefined();
        minutes(5);
      }
      expect(await told()).toEqual([`publication of ${MODEL}`]);
    });
  });

  it('keeps the fault of a message of a queue in the same way', async () => {
    let isBroken = true;
    const work = keepingFaults(
      staging,
      'intake',
      (item: string) => ({ item, model: MODEL }),
      async () => {
        if (isBroken) throw new Error('it is out of order');
        return {};
      },
    );
    for (let time = 0; time < 3; time += 1) {
      await expect(work('toy from dev')).rejects.toThrow('out of order');
      staging.clock.at += 6 * 60_000;
    }
    isBroken = false;
    await work('toy from dev');
    expect(await staging.ledger.get(keys.fault('intake', 'toy from dev'))).toMatchObject({ code: null });
    expect((await staging.codes()).filter((code) => code === 'ITEM_FAILED')).toHaveLength(1);
  });
});
