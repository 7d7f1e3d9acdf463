import type { Environment } from '#domain/environment/environment.ts';
import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byDay } from '#cli/commands/model/local-features.ts';
import { runTraining } from '#local/pipeline/training.ts';
import { inspect } from '#cli/commands/data/check.ts';
import { run as promote } from '#cli/commands/promotion/promote.ts';
import { run as why } from '#cli/commands/promotion/why.ts';
import { noteUndeployed } from '#cli/commands/run/deployed.ts';
import { mustHaveEndedWell } from '#cli/commands/run/ending.ts';
import { run as show } from '#cli/commands/run/show.ts';
import { run as watch } from '#cli/commands/run/watch.ts';
import { executionArn } from '#cli/executions.ts';
import { failureOf } from '#cli/failure.ts';
import { interruptibly } from '#cli/interrupt.ts';
import { mustBeKnown } from '#cli/references.ts';
import { main } from '#cli/program.ts';
import { poll } from '#cli/waiting.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { partsOutput } from '#domain/model/deployed.ts';
import { localParts } from '#model/compile-deployment.ts';
import { compileModel } from '#model/compile.ts';

import { namesOf } from '#model/names.ts';
import { recordChange } from '#use-cases/audit/record-change.ts';
import config from '../../gatehouse.config.ts';
import { silentTerminal } from '../_helpers/terminal.ts';
import { fill, testContext } from './_context.ts';

const MODEL = 'flight-delay';
const RUN = 'flight-delay-2001-04-02-manual-1a2b3c4d';
const RELEASE = digestOf('0.1.1');

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'gatehouse-refusals-'));
});
afterAll(() => rm(home, { recursive: true }));

/** Appends records to the chain of an environment. */
async function record(
  test: ReturnType<typeof testContext>,
  environment: Environment,
  ...events: readonly AuditEvent[]
) {
  const clock = { now: () => new Date('2001-04-02T06:00:00.000Z') };
  for (const event of events) {
    const operation = `${event.code} ${JSON.stringify(event.details)}`.slice(0, 60);
    await recordChange(
      { ledger: test.ledgerOf(environment), environment, clock },
      { model: MODEL, operation, writes: [], event },
    );
  }
}

const REASONS = ['it gains 0.2 %, and 0.5 % are needed', `slice origin=ORD is worse: ${'x'.repeat(300)} end`];
const rejected: AuditEvent = {
  code: 'CANDIDATES_REJECTED',
  actor: 'pipeline:validation',
  release: null,
  details: { run: RUN, asOf: '2001-04-02', policy: digestOf('policy'), reasons: REASONS },
};
const registration = {
  ...keys.registration(MODEL, RELEASE),
  formatVersion: 1,
  model: MODEL,
  release: RELEASE,
  kind: 'trained',
  version: '0.1.1',
  reason: 'the same recipe on other data',
  owner: 'ops',
  creator: 'pipeline:registration',
  at: '2001-04-02T06:00:00.000Z',
  run: RUN,
  window: 'four-weeks',
  metrics: { logLoss: 0.412345 },
  parent: null,
};

/** A dev in which a run has registered a release. */
async function withRelease(given: Readonly<Record<string, unknown>>, env?: string) {
  const test = testContext(given, env === undefined ? {} : { env });
  await fill(test.ledgerOf('dev'), [
    registration,
    { ...keys.version(MODEL, '0.1.1'), release: RELEASE },
    { ...keys.run(MODEL, RUN), run: RUN, machine: 'retraining', status: 'rejected' },
  ]);
  return test;
}

describe('a model that there is not', () => {
  it.each([
    ['status', 'flight-dely'],
    ['release', 'list', 'flight-dely'],
    ['history', 'flight-dely', '--env', 'prod'],
    ['prediction', 'show', 'flight-dely', '--env', 'prod'],
    ['run', 'start', 'flight-dely'],
    ['run', 'list', 'flight-dely'],
    ['data', 'check', 'flight-dely'],
    ['model', 'check', 'flight-dely'],
    ['fsck', 'flight-dely'],
  ])('is refused with the nearest name by %s %s', async (...typed) => {
    const terminal = silentTerminal({ GATEHOUSE_HOME: home });
    expect(await main(typed, terminal)).toBe(1);
    expect(terminal.shown.err).toContain('refused by model-known');
    expect(terminal.shown.err).toContain('there is no model flight-dely; there are: flight-delay');
    expect(terminal.shown.err).toContain('did you mean flight-delay?');
  });

  it('is one of which neither a folder nor a ledger knows', async () => {
    const test = testContext({});
    await record(test, 'dev', rejected);
    const folder = { ...test.context, modelFolders: [join(home, 'nothing')] };
    await mustBeKnown(folder, MODEL, 'dev');
    await expect(mustBeKnown(folder, MODEL, 'prod')).rejects.toMatchObject({
      refusal: { rule: 'model-known', found: 'there is no model flight-delay; there are: none' },
    });
  });

  it('is refused in the name of a release', async () => {
    const test = await withRelease({ release: 'flight-dely@0.1.1', to: 'prod' });
    await expect(why(test.context)).rejects.toMatchObject({
      refusal: { rule: 'model-known', remedy: 'did you mean flight-delay?' },
    });
  });
});

describe('a run', () => {
  it('that was rejected is refused with its reasons at full length and what to do', async () => {
    const test = await withRelease({});
    await record(test, 'dev', rejected);
    const ended = mustHaveEndedWell(
      test.context.cloud('dev'),
      { model: MODEL, name: RUN, status: 'rejected' },
      { status: 'SUCCEEDED' },
    );
    await expect(ended).rejects.toMatchObject({
      refusal: {
        rule: 'run-fruitful',
        found: `${RUN} ended rejected: ${REASONS.join('; ')}`,
        remedy: expect.stringContaining(`gatehouse run show ${MODEL} ${RUN} --env dev`),
      },
    });
    await mustHaveEndedWell(
      test.context.cloud('dev'),
      { model: MODEL, name: RUN, status: 'offered' },
      { status: 'SUCCEEDED' },
    );
  });

  it.each([
    ['FAIL', 'SUCCEEDED', { rule: 'run-fruitful', found: expect.stringContaining('ended FAIL: no rows') }],
    ['running', 'FAILED', { rule: 'run-succeeded', found: expect.stringContaining('ended FAILED: no rows') }],
  ])('whose judgement is %s in an execution that %s says why', async (state, execution, refusal) => {
    const test = testContext({});
    const run = { model: MODEL, name: RUN, status: state, reasons: ['no rows'] };
    const ended = mustHaveEndedWell(test.context.cloud('dev'), run, { status: execution });
    await expect(ended).rejects.toMatchObject({ refusal });
  });

  it('shows its records uncut', async () => {
    const test = await withRelease({ model: MODEL, run: RUN });
    await record(test, 'dev', rejected);
    await show(test.context);
    expect(test.text()).toMatch(/CANDIDATES_REJECTED +asOf: 2001-04-02\n/);
    expect(test.text()).toMatch(/reasons: slice origin=ORD is worse: x{300} end/);
  });

  const ended: readonly HistoryEvent[] = [
    { id: 1, previousEventId: 0, type: 'ExecutionSucceeded', timestamp: new Date('2026-03-02T11:00:00.000Z') },
  ];
  it('is watched without its machine, whichever that is', async () => {
    const test = testContext({ model: MODEL, run: 'r1' }, { env: 'prod' });
    const arn = executionArn({ names: namesOf(config, 'prod') }, 'batch-inference', 'r1');
    test.executionsOf('prod').set(arn, { input: {}, looks: [{ status: 'SUCCEEDED', events: ended, output: {} }] });
    await watch(test.context);
    expect(test.text()).toContain('r1: SUCCEEDED');
  });

  it('that there is not is refused with the machines that were asked', async () => {
    const test = testContext({ model: MODEL, run: 'r2' }, { env: 'dev' });
    await expect(watch(test.context)).rejects.toMatchObject({
      refusal: {
        rule: 'run-known',
        found: 'dev has no run or execution r2 of retraining, validation, data-quality',
        remedy: 'see: gatehouse run list flight-delay --env dev, or name another environment by --env',
      },
    });
  });

  it('goes on after Ctrl-C, which says so and gives the terminal back', async () => {
    const signals = new EventEmitter();
    let looks = 0;
    const work = interruptibly(
      'r1 goes on; watch it: gatehouse run watch',
      (signal) =>
        poll(
          async () => {
            looks += 1;
            signals.emit('SIGINT');
            return undefined;
          },
          60_000,
          signal,
        ),
      signals,
    );
    const error = await work.catch((caught: unknown) => caught);
    expect(failureOf(error)).toMatchObject({ exitCode: 130, lines: ['r1 goes on; watch it: gatehouse run watch'] });
    expect({ looks, left: signals.listenerCount('SIGINT') }).toEqual({ looks: 1, left: 0 });
    expect(await interruptibly('it goes on', () => Promise.resolve('done'), signals)).toBe('done');
  });
});

describe('why', () => {
  it('shows the verdict of dev and its figures for a release that dev rejected', async () => {
    const test = await withRelease({ release: `${MODEL}@0.1.1`, to: 'staging' });
    await record(test, 'dev', rejected);
    await expect(why(test.context)).rejects.toMatchObject({
      refusal: {
        rule: 'released-upstream',
        found: `dev rejected it after ${RUN}: ${REASONS.join('; ')}`,
        remedy: expect.not.stringContaining('promote'),
      },
    });
    expect(test.text()).toContain('flight-delay@0.1.1: dev rejected it');
    expect(test.text()).toContain('metrics  logLoss 0.4123 (of its own rows)');
    expect(test.text()).toContain(`reason   ${REASONS[1]}`);
  });

  it.each([
    ['staging', 'prod'],
    ['prod', 'prod'],
    ['staging', 'staging'],
  ] as const)('ends with the quarantine in %s of a release to %s', async (environment, to) => {
    const test = await withRelease({ release: `${MODEL}@0.1.1`, to });
    await fill(test.ledgerOf(environment), [{ ...keys.quarantine(MODEL, RELEASE), release: RELEASE }]);
    await record(test, environment, {
      code: 'RELEASE_ROLLED_BACK',
      actor: 'person:lea',
      release: digestOf('0.1.0'),
      details: {
        rollback: 'r',
        version: '0.1.0',
        from: RELEASE,
        reason: 'calibration is off',
        pointerSeq: 2,
        epoch: 3,
      },
    });
    const refusal = {
      rule: 'release-quarantined',
      found: `flight-delay@0.1.1 was rolled back in ${environment} at 2001-04-02T06:00:00.000Z by person:lea: calibration is off`,
    };
    await expect(why(test.context)).rejects.toMatchObject({ refusal });
    // Before anybody is asked, and before anybody signs in.
    await expect(promote(test.context)).rejects.toMatchObject({ refusal });
  });
});

describe('what was typed wrongly', () => {
  it('is answered with what to type', async () => {
    const release = `${MODEL}@0.1.1`;
    const asked = (given: object) =>
      withRelease({ release, to: 'prod', ...given }).then(({ context }) => promote(context));
    await expect(asked({ hotfix: true })).rejects.toThrow(
      '--hotfix has no --reason; type: gatehouse promote flight-delay@0.1.1 --to prod --hotfix --reason "',
    );
    await expect(asked({ reason: 'renamed codes' })).rejects.toThrow('--reason is of a hotfix; add --hotfix');
    expect(() => byDay(['landing/part.parquet'], testContext({}).context)).toThrow(
      'landing/part.parquet: the path names no day; give files as in landing/events/dt=2026-03-01/*.parquet',
    );
  });
});

describe('data check', () => {
  it('says each expectation once, for all days', () => {
    const about = { suite: digestOf('suite'), rows: 9 };
    const failure = (found: string) => ({ expectation: 'expect_unique', about: 'column=id', found });
    const partitions = ['2026-03-01', '2026-03-02', '2026-03-03'].map((day) => ({
      kind: 'events' as const,
      day,
      digest: digestOf(day),
      objects: [{ bucket: 'b-1', key: 'k', versionId: 'v', sha256: digestOf(day), size: 1 }],
    }));
    const checked = partitions.map(({ kind, day, digest }, index) => ({
      ...about,
      kind,
      day,
      digest,
      failures: [failure(`${index} twice`)],
    }));
    expect(inspect(checked, partitions).groups).toEqual([
      'events of 3 days from 2026-03-01 to 2026-03-03: expect_unique(column=id): on the last 2 twice',
    ]);
    expect(inspect(checked, partitions.slice(1, 2)).groups).toEqual([
      'events of 2026-03-02: expect_unique(column=id): 1 twice',
    ]);
  });
});

describe('a training program that ends badly', () => {
  it('leaves its traceback with its failure', async () => {
    const folder = join(home, 'program');
    await mkdir(join(folder, 'rows'), { recursive: true });
    await writeFile(join(folder, 'train.mjs'), 'function fit() {\n  throw new Error("no rows");\n}\nfit();\n');
    const definition = await compileModel(join(import.meta.dirname, '../../models/flight-delay'));
    const training = { ...definition.training, local: ['node', 'train.mjs'] };
    const { failure } = await runTraining(
      { ...definition, training },
      folder,
      join(folder, 'rows'),
      join(folder, 'root'),
      () => {},
    );
    expect(failure).toMatch(/^the program ended with code 1\n[^]*Error: no rows\n +at fit .*train\.mjs:2/);
  });
});

describe('run start', () => {
  it('warns where files differ from what is deployed, and says which', async () => {
    const root = join(import.meta.dirname, '../..');
    const parts = await localParts(root, join(root, 'models', MODEL));
    const notes = async (deployed: object | undefined) => {
      const { context, notes: said } = testContext({});
      const outputs = deployed === undefined ? {} : { [partsOutput(MODEL)]: JSON.stringify(deployed) };
      await noteUndeployed(context, { outputs: () => Promise.resolve(outputs) }, MODEL);
      return said;
    };
    expect(await notes(parts)).toEqual([]);
    expect(await notes({ ...parts, 'expectations/': digestOf('other') })).toEqual([
      'deployed-files: expectations/ of flight-delay differ from what is deployed; the run reads what is deployed; deploy them: gatehouse deploy',
    ]);
    expect(await notes({})).toEqual([expect.stringMatching(/features\/ or training\/.*policy\.ts.*expectations/)]);
    expect(await notes(undefined)).toEqual([expect.stringMatching(/nothing deployed is known of flight-delay/)]);
  });
});
