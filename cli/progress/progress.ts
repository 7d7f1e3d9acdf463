import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { duration, shortTime } from '../report.ts';
import type { Outline, OutlinedState } from './outline.ts';
import { type StateRun, statesOf } from './states.ts';
import { UNUSUAL, wordsOf } from './labels.ts';

/** A state that an execution has gone through, or is in, in words of what it does. */
export interface Step {
  readonly state: string;
  readonly words: string;
  readonly status: StateRun['status'];
  readonly startedAt: string;
  readonly milliseconds: number;
  readonly error?: string;
  /** How far a Map is. */
  readonly done?: number;
  readonly total?: number;
}

/** How far an execution is. */
export interface Progress {
  readonly status: string;
  readonly milliseconds: number;
  readonly steps: readonly Step[];
  /** What it does now; absent when it has ended, or has not begun. */
  readonly now?: string;
  /** What comes after that, if all goes well. */
  readonly next?: string;
}

/** What the history of an execution does not say by itself. */
export interface ProgressContext {
  /** The training jobs that its token is still waited for. */
  readonly jobs?: readonly string[];
  /** Whose approval a promotion lacks, such as `1 of ml-lead`. */
  readonly approvals?: readonly string[];
  /** The machine that this one waits for. */
  readonly child?: Progress;
  /** How far the Distributed Map is in which it is: such a Map's iterations have histories of their own. */
  readonly mapRun?: { readonly done: number; readonly total: number };
}

/** An execution: when it was started, how it stands, and its history in order. */
export interface Execution {
  readonly status: string;
  readonly startedAt: Date;
  readonly stoppedAt?: Date | undefined;
  readonly events: readonly HistoryEvent[];
}

/** How far an execution is, from its history. */
export function progressOf(
  outline: Outline,
  { status, startedAt, stoppedAt, events }: Execution,
  around: ProgressContext,
  now: Date,
): Progress {
  const entries = events.flatMap((event, index) => {
    const state = outline.get(event.stateEnteredEventDetails?.name ?? '');
    return state === undefined ? [] : [{ state, index }];
  });
  const runs = statesOf(events, now).filter(({ name }) => outline.has(name));
  const steps = entries.flatMap(({ state, index }, at): readonly Step[] => {
    const run = runs[at];
    return run === undefined ? [] : [stepOf(state, run, events.slice(index, entries[at + 1]?.index), around)];
  });
  const last = steps.at(-1);
  const elapsed = (stoppedAt ?? now).getTime() - startedAt.getTime();
  if (status !== 'RUNNING' || last === undefined) return { status, milliseconds: elapsed, steps };
  const entry = entries.at(-1);
  const own = entry === undefined ? [] : events.slice(entry.index);
  const next = nextOf(outline, last.state);
  return {
    status,
    milliseconds: elapsed,
    steps,
    now: sentenceOf(last, own, entry?.state, around, now),
    ...(next === undefined ? {} : { next }),
  };
}

function stepOf(state: OutlinedState, run: StateRun, own: readonly HistoryEvent[], around: ProgressContext): Step {
  const { name, status, startedAt, milliseconds, error } = run;
  const step = {
    state: name,
    words: wordsOf(name),
    status,
    startedAt,
    milliseconds,
    ...(error === undefined ? {} : { error }),
  };
  if (!state.isMap) return step;
  const total = own.find((event) => event.mapStateStartedEventDetails)?.mapStateStartedEventDetails?.length;
  const counted = { done: iterationsDone(state, own), total: total ?? itemsOf(state, own[0]).length };
  const { done, total: all } = (status === 'running' ? around.mapRun : undefined) ?? counted;
  return { ...step, done: status === 'done' ? all : Math.min(done, all), total: all };
}

/** How many iterations have ended: AWS says so; the local cloud writes the tasks within a Map only. */
function iterationsDone({ lastResource }: OutlinedState, own: readonly HistoryEvent[]): number {
  if (own.some(({ type }) => type === 'MapIterationStarted'))
    return own.filter(({ type }) => type === 'MapIterationSucceeded').length;
  return own.filter(
    ({ taskSucceededEventDetails: task }) =>
      task !== undefined && (lastResource === undefined || task.resource === lastResource),
  ).length;
}

const Document = z.looseObject({ input: z.string() });

/** The items of a Map, as its document has them. */
function itemsOf({ items }: OutlinedState, entered: HistoryEvent | undefined): readonly unknown[] {
  const document = Document.safeParse(entered?.stateEnteredEventDetails);
  if (!document.success) return [];
  const found = items.reduce<unknown>(
    (value, field) => (typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined),
    JSON.parse(document.data.input),
  );
  return Array.isArray(found) ? found : [];
}

function sentenceOf(
  step: Step,
  own: readonly HistoryEvent[],
  state: OutlinedState | undefined,
  around: ProgressContext,
  now: Date,
): string {
  const counted = countedWords(step);
  if (state?.lastResource !== undefined) {
    const waiting = waitingForJobs(itemsOf(state, own[0]), around.jobs ?? []);
    const since = own.find(({ taskScheduledEventDetails: task }) => isWaiting(task?.resource))?.timestamp;
    if (waiting !== undefined && since !== undefined)
      return `${counted}: ${waiting}, ${clock(now.getTime() - since.getTime())}`;
  }
  if (step.state === 'Request approvals') {
    const by = around.approvals?.length ? ` by ${around.approvals.join(' and ')}` : '';
    return `${counted}${by} since ${shortTime(step.startedAt)}`;
  }
  const child = around.child?.now;
  return child === undefined ? counted : `${counted}: ${child}`;
}

/** On AWS the resource of a task that waits is `invoke.waitForTaskToken`; locally it is the whole ARN. */
const isWaiting = (resource: string | undefined): boolean => resource?.endsWith('.waitForTaskToken') === true;

const Window = z.looseObject({ window: z.string(), job: z.string() });

function waitingForJobs(windows: readonly unknown[], jobs: readonly string[]): string | undefined {
  const names = windows.flatMap((item) => {
    const { data } = Window.safeParse(item);
    return data !== undefined && jobs.includes(data.job) ? [data.window] : [];
  });
  const [only, ...others] = names;
  if (only === undefined) return undefined;
  if (others.length === 0) return `waiting for the training job of window ${only}`;
  return `waiting for the training jobs of windows ${[only, ...others.slice(0, -1)].join(', ')} and ${others.at(-1)}`;
}

/** A step in words, and how far it is. */
export function countedWords({ words, done, total }: Step): string {
  return done === undefined || total === undefined ? words : `${words} ${done} of ${total}`;
}

function nextOf(outline: Outline, state: string): string | undefined {
  const usual = (outline.get(state)?.next ?? []).filter((name) => !(name in UNUSUAL));
  return usual.length === 0 ? undefined : [...new Set(usual.map(wordsOf))].join(', or ');
}

/** Milliseconds as a clock shows them: `0:42`, `12:05`, `1:02:03`. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const pad = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours === 0 ? `${minutes}:${pad(seconds % 60)}` : `${hours}:${pad(minutes)}:${pad(seconds % 60)}`;
}

/** What has happened between two looks, a line for each thing. */
export function linesBetween(before: Progress | undefined, after: Progress): readonly string[] {
  const told = before?.steps ?? [];
  const ended = after.steps.flatMap((step, at) => {
    if (step.status === 'running' || (told[at]?.status ?? 'running') !== 'running') return [];
    const because = step.error === undefined ? '' : `: ${step.error}`;
    return [
      `  ${step.status === 'failed' ? 'x' : '.'} ${countedWords(step)} (${duration(step.milliseconds)})${because}`,
    ];
  });
  // A clock that goes on is no news.
  const still = (now: string | undefined): string | undefined => now?.replace(/, [\d:]+$/, '');
  const isNews = after.now !== undefined && still(after.now) !== still(before?.now);
  return isNews ? [...ended, `    ${after.now}`] : ended;
}

/** The whole of a progress as lines that are drawn again and again. */
export function picture(title: string, progress: Progress): readonly string[] {
  const steps = progress.steps.map((step, at) => {
    const isNow = step.status === 'running' && at === progress.steps.length - 1;
    const mark = step.status === 'failed' ? 'x' : isNow ? '>' : '.';
    const took = isNow ? clock(step.milliseconds) : duration(step.milliseconds);
    return `  ${mark} ${isNow ? (progress.now ?? countedWords(step)) : countedWords(step)} (${took})`;
  });
  const next = progress.next === undefined ? [] : [`    then: ${progress.next}`];
  return [`${title}, ${clock(progress.milliseconds)}`, ...steps, ...next];
}
