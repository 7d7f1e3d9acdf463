import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '#domain/audit/events.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { TrainingJobState } from '#ports/training-jobs.ts';
import { publishRecords } from '#use-cases/announcements/publish-records.ts';
import { reconcileEnvironment } from '#use-cases/reconciler/reconcile-environment.ts';
import { type Environment, MODEL, world } from './_world.ts';

let dev: Environment;
let staging: Environment;
beforeEach(() => {
  const all = world();
  [dev, staging] = [all.environment('dev'), all.environment('staging')];
});
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
    expect(dev.machines.answers.get('token failed')).toEqual({ status: 'failed', reason: 'out of memory' });
    expect(dev.machines.waiting).toContain('token running');
  });
});
