import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { machineOutline, type Outline, outlineOf } from '#cli/progress/outline.ts';
import { linesBetween, picture, progressOf, type ProgressContext } from '#cli/progress/progress.ts';
import { UNUSUAL, LABELS } from '#cli/progress/labels.ts';
import type { Machine } from '#ports/state-machines.ts';

const MACHINES: readonly Machine[] = [
  'retraining',
  'validation',
  'data-quality',
  'promotion',
  'canary',
  'confirmation',
  'incident',
  'rollback',
  'rollback-readiness',
  'release-tests',
  'rollback-verification',
  'probation',
  'drift',
  'batch-inference',
];
const at = (seconds: number): Date => new Date(Date.UTC(2026, 2, 2, 9, 0, seconds));
const entered = (seconds: number, name: string, input: object = {}): HistoryEvent => ({
  id: undefined,
  type: 'TaskStateEntered',
  timestamp: at(seconds),
  stateEnteredEventDetails: { name, input: JSON.stringify(input) },
});
const exited = (seconds: number, name: string): HistoryEvent => ({
  id: undefined,
  type: 'TaskStateExited',
  timestamp: at(seconds),
  stateExitedEventDetails: { name },
});
/** A history in order: each event follows the one before. */
const history = (...events: readonly HistoryEvent[]): readonly HistoryEvent[] =>
  events.map((event, index) => ({ ...event, id: index + 1, previousEventId: index }));
const running = (machine: Machine, events: readonly HistoryEvent[], now: number, around: ProgressContext = {}) =>
  progressOf(machineOutline(machine), { status: 'RUNNING', startedAt: at(0), events }, around, at(now));

describe('the words', () => {
  it.each(MACHINES)('there are some for each state of %s', (machine) => {
    const known = new Set([...Object.keys(LABELS), ...Object.keys(UNUSUAL)]);
    expect([...machineOutline(machine).keys()].filter((state) => !known.has(state))).toEqual([]);
  });

  it('there are none for a state that does not exist', () => {
    const states = new Set(MACHINES.flatMap((machine) => [...machineOutline(machine).keys()]));
    expect([...Object.keys(LABELS), ...Object.keys(UNUSUAL)].filter((state) => !states.has(state))).toEqual([]);
  });
});

describe('what comes next', () => {
  const next = (machine: Machine, state: string): string | undefined =>
    running(machine, history(entered(0, state)), 1).next;
  it('follows the choices to the states that take time, and never announces what goes wrong', () => {
    expect(next('retraining', 'Open retraining run')).toBe('planning the training windows');
    expect(next('retraining', 'Package candidates')).toBe('registering the candidates');
    expect(next('promotion', 'Evaluate gates')).toBe(
      'planning the daily aggregates that its endpoint loads, or waiting for approval',
    );
    expect(next('batch-inference', 'Publish predictions')).toBe('reporting the run');
    expect(next('rollback', 'Repair predictions')).toBeUndefined();
  });
});

describe('a Map', () => {
  const planned = { planned: { scoreBatches: Array.from({ length: 7 }, (_, from) => ({ from })) } };
  it('is counted by its iterations, as AWS tells them', () => {
    const started: HistoryEvent = {
      id: undefined,
      type: 'MapStateStarted',
      timestamp: at(3),
      mapStateStartedEventDetails: { length: 7 },
    };
    const iteration = (type: 'MapIterationStarted' | 'MapIterationSucceeded', index: number): HistoryEvent => ({
      id: undefined,
      type,
      timestamp: at(4),
      ...(type === 'MapIterationStarted'
        ? { mapIterationStartedEventDetails: { name: 'Score partitions', index } }
        : { mapIterationSucceededEventDetails: { name: 'Score partitions', index } }),
    });
    const events = history(
      entered(0, 'Plan reconciliation'),
      exited(3, 'Plan reconciliation'),
      entered(3, 'Score partitions'),
      started,
      ...[0, 1, 2, 3].map((index) => iteration('MapIterationStarted', index)),
      entered(4, 'Score partition'),
      exited(5, 'Score partition'),
      ...[0, 1, 2].map((index) => iteration('MapIterationSucceeded', index)),
    );
    expect(running('batch-inference', events, 15)).toMatchObject({
      now: 'scoring partition batches 3 of 7',
      next: 'publishing rows for look-up, batches, or publishing the predictions',
      milliseconds: 15_000,
      steps: [
        { state: 'Plan reconciliation', status: 'done', milliseconds: 3000 },
        { state: 'Score partitions', status: 'running', milliseconds: 12_000, done: 3, total: 7 },
      ],
    });
  });

  // As the local cloud writes it: no iterations, no links, the items in the document.
  const task = (type: 'TaskScheduled' | 'TaskSucceeded', resource: string, seconds = 4): HistoryEvent => ({
    id: undefined,
    type,
    timestamp: at(seconds),
    ...(type === 'TaskScheduled'
      ? { taskScheduledEventDetails: { resource, resourceType: 'lambda', region: '', parameters: '' } }
      : { taskSucceededEventDetails: { resource, resourceType: 'lambda' } }),
  });
  it('is counted by its tasks where there is nothing else', () => {
    const events = [
      entered(0, 'Score partitions', planned),
      task('TaskScheduled', 'arn:f'),
      task('TaskSucceeded', 'arn:f'),
    ];
    const numbered = events.map((event, index) => ({ ...event, id: index + 1 }));
    expect(running('batch-inference', numbered, 9).now).toBe('scoring partition batches 1 of 7');
    const left = [...numbered, { ...exited(10, 'Score partitions'), id: 4 }];
    expect(running('batch-inference', left, 12).steps).toMatchObject([{ status: 'done', done: 7, total: 7 }]);
  });

  it('begins again when a run is asked for again', () => {
    const again = [
      entered(0, 'Score partitions', planned),
      task('TaskSucceeded', 'arn:f'),
      exited(5, 'Score partitions'),
      entered(6, 'Score partitions', { planned: { scoreBatches: [{}] } }),
    ].map((event, index) => ({ ...event, id: index + 1 }));
    expect(running('batch-inference', again, 9).now).toBe('scoring partition batches 0 of 1');
  });

  it('of many is counted by what its run says', () => {
    const around = { mapRun: { done: 40, total: 900 } };
    expect(running('batch-inference', history(entered(0, 'Score shards')), 9, around).now).toBe(
      'scoring partition batches 40 of 900',
    );
  });

  it('of windows says whose training job is waited for, and how long', () => {
    const windows = ['fortnight', 'four-weeks', 'everything'].map((window) => ({ window, job: `job-${window}` }));
    const token = 'arn:aws:states:::lambda:invoke.waitForTaskToken';
    const events = [
      entered(0, 'Train windows', { planned: { windows } }),
      task('TaskScheduled', 'arn:f'),
      task('TaskSucceeded', 'arn:f'),
      task('TaskScheduled', token, 3),
      task('TaskSucceeded', token, 20),
    ].map((event, index) => ({ ...event, id: index + 1 }));
    expect(running('retraining', events, 45, { jobs: ['job-four-weeks', 'job-of-another-run'] }).now).toBe(
      'training windows 1 of 3: waiting for the training job of window four-weeks, 0:42',
    );
    expect(running('retraining', events, 45, { jobs: windows.map(({ job }) => job) }).now).toBe(
      'training windows 1 of 3: waiting for the training jobs of windows fortnight, four-weeks and everything, 0:42',
    );
    expect(running('retraining', events.slice(0, 2), 45).now).toBe('training windows 0 of 3');
  });
});

describe('waiting', () => {
  it('for people says for whom, and since when', () => {
    const events = history(entered(0, 'Request approvals'));
    const around = { approvals: ['1 of ml-lead', '1 of platform'] };
    expect(running('promotion', events, 600, around).now).toBe(
      'waiting for approval by 1 of ml-lead and 1 of platform since 2026-03-02 09:00Z',
    );
    expect(running('promotion', events, 600).now).toBe('waiting for approval since 2026-03-02 09:00Z');
  });

  it('for another machine says what that one does', () => {
    const child = running('validation', history(entered(0, 'Score releases', { plan: { scoreBatches: [1, 2] } })), 4);
    expect(running('retraining', history(entered(0, 'Validate candidates')), 5, { child }).now).toBe(
      'validating the candidates: scoring batches of the held-out days 0 of 2',
    );
  });
});

describe('what is told', () => {
  const outline: Outline = outlineOf(
    JSON.stringify({
      StartAt: 'Pull release',
      States: {
        'Pull release': { Type: 'Task', Next: 'Verify release' },
        'Verify release': { Type: 'Task', Next: 'Promoted' },
        Promoted: { Type: 'Succeed' },
      },
    }),
  );
  const look = (status: string, now: number, ...events: readonly HistoryEvent[]) =>
    progressOf(outline, { status, startedAt: at(0), events: history(...events) }, {}, at(now));
  const begun = look('RUNNING', 1, entered(0, 'Pull release'));
  const further = look(
    'RUNNING',
    3,
    entered(0, 'Pull release'),
    exited(2, 'Pull release'),
    entered(2, 'Verify release'),
  );

  it('is what is new, once', () => {
    expect(linesBetween(undefined, begun)).toEqual(['    pulling the release and hashing its files']);
    expect(linesBetween(begun, look('RUNNING', 2, entered(0, 'Pull release')))).toEqual([]);
    expect(linesBetween(begun, further)).toEqual([
      '  . pulling the release and hashing its files (2.0 s)',
      '    verifying the release: contents, signature, golden rows',
    ]);
  });

  it('does not repeat a line because its clock went on', () => {
    const waiting = { ...begun, now: 'waiting for the training job of window fortnight, 0:42' };
    expect(
      linesBetween(waiting, { ...waiting, now: 'waiting for the training job of window fortnight, 0:43' }),
    ).toEqual([]);
  });

  it('says why something failed', () => {
    const failed: HistoryEvent = {
      id: undefined,
      type: 'TaskFailed',
      timestamp: at(1),
      taskFailedEventDetails: { resource: 'invoke', resourceType: 'lambda', error: 'Boom', cause: 'no bytes' },
    };
    const ended = look('FAILED', 9, entered(0, 'Pull release'), failed, {
      id: undefined,
      type: 'ExecutionFailed',
      timestamp: at(2),
    });
    expect(linesBetween(begun, ended)).toEqual([
      '  x pulling the release and hashing its files (2.0 s): Boom: no bytes',
    ]);
    expect(ended.now).toBeUndefined();
  });

  it('is a picture in a terminal', () => {
    expect(picture('promotion p1', further)).toEqual([
      'promotion p1, 0:03',
      '  . pulling the release and hashing its files (2.0 s)',
      '  > verifying the release: contents, signature, golden rows (0:01)',
    ]);
    expect(picture('promotion p1', begun).at(-1)).toBe(
      '    then: verifying the release: contents, signature, golden rows',
    );
  });
});
