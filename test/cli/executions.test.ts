import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { refusalIn } from '#cli/executions.ts';
import { failureOf } from '#cli/failure.ts';
import { RefusedError } from '#cli/refusal.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { statesOf } from '#cli/progress/states.ts';
import { poll } from '#cli/waiting.ts';

const at = (seconds: number): Date => new Date(Date.UTC(2026, 2, 2, 9, 0, seconds));
const entered = (id: number, previousEventId: number, name: string, seconds: number): HistoryEvent => ({
  id,
  previousEventId,
  type: 'TaskStateEntered',
  timestamp: at(seconds),
  stateEnteredEventDetails: { name },
});
const exited = (id: number, previousEventId: number, name: string, seconds: number): HistoryEvent => ({
  id,
  previousEventId,
  type: 'TaskStateExited',
  timestamp: at(seconds),
  stateExitedEventDetails: { name },
});

describe('statesOf', () => {
  it('says how long each state took, and which is at work', () => {
    const events = [entered(1, 0, 'Open run', 0), exited(2, 1, 'Open run', 2), entered(3, 2, 'Train', 2)];
    expect(statesOf(events, at(12))).toMatchObject([
      { name: 'Open run', status: 'done', milliseconds: 2000 },
      { name: 'Train', status: 'running', milliseconds: 10_000 },
    ]);
  });

  it('keeps the branches of a map apart, and marks what failed', () => {
    const failed: HistoryEvent = {
      id: 4,
      previousEventId: 2,
      type: 'TaskFailed',
      timestamp: at(3),
      taskFailedEventDetails: { resource: 'invoke', resourceType: 'lambda', error: 'Boom', cause: 'no rows' },
    };
    const events = [
      entered(1, 0, 'Train', 0),
      entered(2, 0, 'Train', 0),
      exited(3, 1, 'Train', 2),
      failed,
      exited(5, 4, 'Train', 4),
    ];
    expect(statesOf(events, at(9))).toMatchObject([
      { status: 'done', milliseconds: 2000 },
      { status: 'failed', milliseconds: 4000, error: 'Boom: no rows' },
    ]);
  });

  it('does not call failed what a second try has mended', () => {
    const failed: HistoryEvent = {
      id: 2,
      previousEventId: 1,
      type: 'TaskFailed',
      timestamp: at(1),
      taskFailedEventDetails: { resource: 'invoke', resourceType: 'lambda', error: 'Boom' },
    };
    const mended: HistoryEvent = { id: 3, previousEventId: 2, type: 'TaskSucceeded', timestamp: at(4) };
    const events = [entered(1, 0, 'Pull', 0), failed];
    expect(statesOf(events, at(3))).toMatchObject([{ status: 'running', error: 'Boom: ', milliseconds: 3000 }]);
    expect(statesOf([...events, mended, exited(4, 3, 'Pull', 5)], at(9))).toMatchObject([
      { status: 'done', error: undefined, milliseconds: 5000 },
    ]);
  });

  it('leaves nothing at work in an execution that has ended', () => {
    const end: HistoryEvent = { id: 2, previousEventId: 1, type: 'ExecutionFailed', timestamp: at(1) };
    expect(statesOf([entered(1, 0, 'Failed', 0), end], at(60))).toMatchObject([
      { status: 'failed', milliseconds: 1000 },
    ]);
  });
});

describe('refusalIn', () => {
  const refusal = { rule: 'rollback-target', found: 'nothing', remedy: 'promote' };
  it('finds the refusal of an execution', () => {
    expect(refusalIn({ output: { refusal } })).toEqual(refusal);
    expect(refusalIn({ output: { model: 'm', target: { status: 'refused', refusal } } })).toEqual(refusal);
    expect(refusalIn({ output: { status: 'done' } })).toBeUndefined();
    expect(refusalIn({ output: undefined })).toBeUndefined();
  });

  it('finds the refusal of an environment that knows more rules', () => {
    const newer = { ...refusal, rule: 'a-rule-of-tomorrow' };
    expect(refusalIn({ output: { target: { status: 'refused', refusal: newer } } })).toEqual(newer);
  });
});

describe('failureOf', () => {
  it('says of a refusal that stands in a ledger what was refused, and nothing else of its item', () => {
    const item = { rule: 'partition-whole', found: 'no file', remedy: 'write it', kind: 'events', day: '2026-01-27' };
    expect(failureOf(new RefusedError(item as Refusal)).data).toEqual({
      error: { kind: 'refused', rule: 'partition-whole', found: 'no file', remedy: 'write it' },
    });
  });
});

describe('poll', () => {
  it('looks until there is an answer, or the time is over', async () => {
    let looks = 0;
    const third = (): Promise<number | undefined> => Promise.resolve((looks += 1) < 3 ? undefined : looks);
    expect(await poll(third, 60_000)).toBe(3);
    expect(await poll(() => Promise.resolve(undefined), 0)).toBeUndefined();
  });
});
