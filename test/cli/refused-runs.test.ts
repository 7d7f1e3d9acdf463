import { EventEmitter } from 'node:events';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as promote } from '#cli/commands/promotion/promote.ts';
import { run as why } from '#cli/commands/promotion/why.ts';
import { mustHaveEndedWell } from '#cli/commands/run/ending.ts';
import { run as show } from '#cli/commands/run/show.ts';
import { run as watch } from '#cli/commands/run/watch.ts';
import { executionArn } from '#cli/executions.ts';
import { failureOf } from '#cli/failure.ts';
import { interruptibly } from '#cli/interrupt.ts';
import { poll } from '#cli/waiting.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { fill, testContext } from './_context.ts';
import { MODEL, RUN, RELEASE, record, REASONS, rejected, withRelease, begin, end } from './_refused-runs.ts';

beforeAll(begin);
afterAll(end);

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
        found: 'dev has no run or execution r2 of retraining, validation, data-quality, incident',
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
