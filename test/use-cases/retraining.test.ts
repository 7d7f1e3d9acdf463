import { z } from 'zod';
import { recordRefusals } from '#use-cases/data/open-refusals.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Digest, digestOf, digestOfJson, parseCanonical } from '#domain/canonical/digest.ts';
import { TrainingInputs } from '#domain/data/training-inputs.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { JobStart } from '#ports/job.ts';
import type { TrainingJobRequest, TrainingJobState } from '#ports/training-jobs.ts';
import { recordExecutionEnd } from '#use-cases/recorder/record-execution-end.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { openRetrainingRun } from '#use-cases/retraining/open-retraining-run.ts';
import { packageCandidates } from '#use-cases/retraining/package-candidates.ts';
import { planWindows } from '#use-cases/retraining/plan-windows.ts';
import { returnJobToken } from '#use-cases/retraining/return-job-token.ts';
import { trainWindow } from '#use-cases/retraining/train-window.ts';
import { JOINS } from '#test/domain/data/_joins.ts';
import { admitDays } from './_admitted.ts';
import { definition, type Environment, MODEL, world } from './_environments.ts';

const RUN = 'toy-run-1';
let dev: Environment;
beforeEach(async () => {
  dev = world().environment('dev');
  await admitDays(dev.ledger, '2001-01-01', '2001-01-19');
});
const open = (run = RUN) =>
  openRetrainingRun(dev)({ model: MODEL, run, trigger: 'schedule', asOf: '2001-01-20T06:00:00Z' });
const runStatus = async (): Promise<unknown> => (await dev.ledger.get(keys.run(MODEL, RUN)))?.['status'];

describe('a retraining run', () => {
  it('is opened at one logical day, once', async () => {
    expect(await open()).toEqual({ model: MODEL, run: RUN, asOf: '2001-01-20' });
    expect(await open()).toEqual({ model: MODEL, run: RUN, asOf: '2001-01-20' });
    expect(await dev.codes()).toEqual(['RETRAINING_STARTED']);
    expect(await runStatus()).toBe('running');
  });

  it('is not opened under the name of another run, or for a model that nobody deployed', async () => {
    await dev.ledger.transact([{ kind: 'put', item: { ...keys.run(MODEL, RUN), status: 'published' } }], 'other');
    await expect(open()).rejects.toMatchObject({ code: 'RUN_EXISTS' });
    const unknown = { model: 'unknown', run: RUN, trigger: 'schedule', asOf: '2001-01-20' };
    await expect(openRetrainingRun(dev)(unknown)).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
  });

  it.each(['2001-01-20T01:00:00+05:00', '2001-01-20 or so'])(
    'is not opened as of %s, whose day is not known',
    async (asOf) => {
      const given = { model: MODEL, run: RUN, trigger: 'schedule', asOf };
      await expect(openRetrainingRun(dev)(given)).rejects.toMatchObject({ code: 'BAD_DOCUMENT' });
      expect(await dev.codes()).toEqual([]);
    },
  );

  it('has the days of each window in their order, whichever window needed them first, and names what they were made from', async () => {
    const [model] = dev.deployed.models;
    if (model === undefined) throw new Error('no model');
    const windows = [{ name: 'short', days: 3 }, ...model.definition.windows];
    const both = { ...dev.deployed, models: [{ ...model, definition: { ...model.definition, windows } }] };
    const planned = await planWindows({ ...dev, deployed: both })({ model: MODEL, run: RUN, asOf: '2001-01-20' });
    const plans = (planned as { windows: { plan: Digest }[] }).windows;
    expect(plans).toHaveLength(2);
    for (const { plan: digest } of plans) {
      const plan = parseCanonical(TrainingPlan, await dev.documents.read(digest), 'plan');
      const days = plan.features.map(({ day }) => day);
      expect(days).toEqual(days.toSorted());
      const inputs = parseCanonical(TrainingInputs, await dev.releases.read(plan.inputs ?? digestOf('')), 'inputs');
      const labels = inputs.partitions.filter(({ kind }) => kind === 'labels').map(({ day }) => day);
      expect(plan.labels.every(({ day }) => labels.includes(day))).toBe(true);
    }
  });

  it('pins its windows: days, partitions, SQL and definition by digest', async () => {
    const planned = await planWindows(dev)({ model: MODEL, run: RUN, asOf: '2001-01-20' });
    expect(planned).toMatchObject({ status: 'planned', windows: [{ window: 'all' }] });
    const digest = (planned as { windows: { plan: Digest; job: string }[] }).windows[0];
    const plan = TrainingPlan.parse(
      JSON.parse(Buffer.from(await dev.documents.read(digest?.plan ?? digestOf(''))).toString()),
    );
    // Test days 17 and 18, selection day 16, labels mature after a day.
    expect(plan).toMatchObject({
      window: { from: '2001-01-01', to: '2001-01-14' },
      labelsUntil: '2001-01-15',
      definition: digestOfJson(definition),
    });
    expect(plan.features).toHaveLength(14);
    expect(plan.labels.map(({ day }) => day).at(-1)).toBe('2001-01-15');
    expect(digest?.job).toMatch(/^[a-zA-Z0-9-]{1,63}$/);
    for (const sha256 of [definition.features.daily.sha256, digestOfJson(definition)])
      expect(await dev.releases.has(sha256)).toBe(true);
    expect(await planWindows(dev)({ model: MODEL, run: RUN, asOf: '2001-01-20' })).toEqual(planned);
  });

  it('is refused where data is missing, with the days', async () => {
    expect(await planWindows(dev)({ model: MODEL, run: RUN, asOf: '2001-02-20' })).toMatchObject({
      status: 'refused',
      reasons: [expect.stringContaining('events end on 2001-01-19')],
      windows: [],
    });
    const gap = world().environment('dev');
    await admitDays(gap.ledger, '2001-01-01', '2001-01-05');
    await admitDays(gap.ledger, '2001-01-08', '2001-01-19');
    expect(await planWindows(gap)({ model: MODEL, run: RUN, asOf: '2001-01-20' })).toMatchObject({
      status: 'refused',
      reasons: expect.arrayContaining([
        'events of 2001-01-06 are not admitted',
        'events of 2001-01-07 are not admitted',
      ]),
    });
    // What was refused comes first, with its cause: it does not come by itself.
    const refusal = {
      rule: 'rows-of-partition-day',
      found: '988 rows on another day (UTC)',
      remedy: 'correct it',
    } as const;
    const about = { model: MODEL, kind: 'events', days: ['2001-01-07'] } as const;
    await recordRefusals({ ...gap, environment: 'dev' }, about, refusal, () => ({
      code: 'PARTITION_REFUSED',
      actor: 'pipeline:admission',
      release: null,
      details: { kind: 'events', day: '2001-01-07', ...refusal },
    }));
    const { reasons } = z
      .object({ reasons: z.array(z.string()) })
      .parse(await planWindows(gap)({ model: MODEL, run: RUN, asOf: '2001-01-20' }));
    expect(reasons[0]).toBe(
      'events of 2001-01-07 are refused: rows-of-partition-day: 988 rows on another day (UTC); correct it',
    );
    expect(reasons).toContain('events of 2001-01-06 are not admitted');
    const empty = world().environment('dev');
    expect(await planWindows(empty)({ model: MODEL, run: RUN, asOf: '2001-01-20' })).toMatchObject({
      reasons: ['no partitions are admitted'],
    });
  });

  it('that failed, or was stopped from outside, is ended in its record and told once', async () => {
    await open();
    const end = {
      stateMachineArn: 'arn:aws:states:us-east-1:111111111111:stateMachine:gatehouse-dev-retraining',
      name: RUN,
      status: 'ABORTED',
      input: JSON.stringify({ model: MODEL, trigger: 'schedule', asOf: '2001-01-20' }),
    };
    expect(await recordExecutionEnd(dev, end)).toEqual({ result: 'recorded' });
    expect(await runStatus()).toBe('failed');
    expect(await recordExecutionEnd(dev, end)).toEqual({ result: 'already-recorded' });
    await recordRunFailure(dev)({ machine: 'retraining', model: MODEL, run: RUN, error: { Error: 'X', Cause: 'y' } });
    expect((await dev.codes()).filter((code) => code === 'RUN_FAILED')).toHaveLength(1);
    expect(await recordExecutionEnd(dev, { ...end, input: null })).toEqual({ result: 'no-model' });
  });
});

describe('a training job', () => {
  const requests: TrainingJobRequest[] = [];
  let state: TrainingJobState = { kind: 'running' };
  const jobs = {
    start: async (request: TrainingJobRequest): Promise<JobStart> => {
      requests.push(request);
      return { kind: 'started' };
    },
    describe: async () => state,
  };
  const train = async (token: string) => {
    const planned = await planWindows(dev)({ model: MODEL, run: RUN, asOf: '2001-01-20' });
    const [window] = (planned as { windows: { plan: Digest; job: string }[] }).windows;
    if (window === undefined) throw new Error('no window');
    await trainWindow({ ...dev, jobs })({ ...window, token });
    dev.machines.waiting.add(token);
    return window.job;
  };

  it('can read the rows that were exported for it, and nothing else', async () => {
    requests.length = 0;
    await train('token');
    expect(requests).toMatchObject([
      { input: `runs/${RUN}/all/train/`, output: `runs/${RUN}/all/output/`, hyperparameters: { seed: '7' } },
    ]);
  });

  it('lets the machine go on when it has ended, as SageMaker says, not as the event says', async () => {
    const job = await train('token');
    state = { kind: 'running' };
    expect(await returnJobToken({ ...dev, jobs }, 'training', job)).toBe('running');
    state = { kind: 'failed', reason: 'x'.repeat(5000) };
    expect(await returnJobToken({ ...dev, jobs }, 'training', job)).toBe('returned');
    expect(dev.machines.answers.get('token')).toEqual({
      status: 'failed',
      reason: `${'x'.repeat(800)} (log: CloudWatch /aws/sagemaker/TrainingJobs, job ${job})`,
    });
    expect(await returnJobToken({ ...dev, jobs }, 'training', job)).toBe('gone');
    expect(await returnJobToken({ ...dev, jobs }, 'training', 'another')).toBe('unknown');
  });

  it('keeps the token that the machine waits with now, when an earlier one is answered late', async () => {
    const job = await train('first token');
    dev.machines.waiting.delete('first token');
    state = { kind: 'completed', artifact: 's3://b/k', seconds: 1 };
    const machines = {
      ...dev.machines,
      succeed: async (token: string, output: object) => {
        if (token === 'first token') await train('second token');
        return dev.machines.succeed(token, output);
      },
    };
    expect(await returnJobToken({ ...dev, jobs, machines }, 'training', job)).toBe('gone');
    expect(await dev.ledger.get(keys.task('training', job))).toMatchObject({ token: 'second token', answered: false });
    expect(await returnJobToken({ ...dev, jobs }, 'training', job)).toBe('returned');
  });
});

describe('a training job that does not exist', () => {
  const train = async (start: () => Promise<JobStart>) => {
    const planned = await planWindows(dev)({ model: MODEL, run: RUN, asOf: '2001-01-20' });
    const [window] = (planned as { windows: { plan: Digest; job: string }[] }).windows;
    if (window === undefined) throw new Error('no window');
    dev.machines.waiting.add('token');
    const jobs = { start, describe: async () => ({ kind: 'absent' as const }) };
    return { ...window, jobs, result: trainWindow({ ...dev, jobs })({ ...window, token: 'token' }) };
  };

  it('because SageMaker refused to create it has failed at once, with the reason', async () => {
    const { job, jobs, result } = await train(async () => ({
      kind: 'refused',
      reason: 'ValidationException: no image',
    }));
    expect(await result).toEqual({ status: 'refused' });
    expect(dev.machines.answers.get('token')).toEqual({ status: 'failed', reason: 'ValidationException: no image' });
    expect(await dev.ledger.get(keys.task('training', job))).toMatchObject({ answered: true });
    expect(await returnJobToken({ ...dev, jobs }, 'training', job)).toBe('running');
  });

  it('because its creation met a fault may still be created; after a quarter of an hour it has failed', async () => {
    const { job, jobs, result } = await train(async () => {
      throw new Error('the quota is used up');
    });
    await expect(result).rejects.toThrow('the quota is used up');
    dev.clock.at += 14 * 60_000;
    expect(await returnJobToken({ ...dev, jobs }, 'training', job)).toBe('running');
    dev.clock.at += 60_000;
    expect(await returnJobToken({ ...dev, jobs }, 'training', job)).toBe('returned');
    expect(dev.machines.answers.get('token')).toEqual({
      status: 'failed',
      reason: `there is no training job ${job}: it was never created, or was deleted`,
    });
    expect(await dev.ledger.get(keys.task('training', job))).toMatchObject({ answered: true });
  });

  it('is given its time anew by whoever tries again', async () => {
    const { job, jobs, result, plan } = await train(async () => {
      throw new Error('throttled');
    });
    await expect(result).rejects.toThrow('throttled');
    dev.clock.at += 20 * 60_000;
    const start = async (): Promise<JobStart> => {
      expect(await returnJobToken({ ...dev, jobs }, 'training', job)).toBe('running');
      return { kind: 'started' };
    };
    dev.machines.waiting.add('second');
    expect(await trainWindow({ ...dev, jobs: { ...jobs, start } })({ plan, job, token: 'second' })).toEqual({
      status: 'started',
    });
    expect(dev.machines.waiting).toContain('second');
  });

  it('is no candidate, and the run says why', async () => {
    const plan = digestOf('plan');
    const windows = [
      {
        window: 'all',
        plan,
        export: { status: 'exported', rows: 1, positives: 0, joins: JOINS },
        training: { status: 'failed', reason: 'no image' },
      },
    ];
    const training = {
      fetch: async () => false,
      readArtifact: async () => ({ kind: 'read', files: new Map() }) as const,
      storeRows: async () => undefined,
    };
    expect(await packageCandidates({ ...dev, training })({ windows })).toMatchObject({
      status: 'nothing',
      reasons: ['all: no image'],
    });
  });
});
