import type { HistoryEvent } from '@aws-sdk/client-sfn';

/** A state of an execution: how long it took, and how it ended. */
export interface StateRun {
  readonly name: string;
  readonly status: 'running' | 'done' | 'failed';
  readonly startedAt: string;
  readonly milliseconds: number;
  readonly error: string | undefined;
}

/** The events after which an execution does nothing more. */
const ENDS: ReadonlySet<string> = new Set([
  'ExecutionSucceeded',
  'ExecutionFailed',
  'ExecutionAborted',
  'ExecutionTimedOut',
]);

/** The states of an execution in the order in which they were entered, from its history. */
export function statesOf(events: readonly HistoryEvent[], now: Date): readonly StateRun[] {
  const byId = new Map(events.map((event) => [event.id ?? 0, event]));
  const runs = new Map<number, StateRun & { readonly entered: number }>();
  const enteredBy = (event: HistoryEvent): number | undefined => {
    for (let at: HistoryEvent | undefined = event; at !== undefined; at = byId.get(at.previousEventId ?? 0)) {
      if (at.stateEnteredEventDetails !== undefined) return at.id;
    }
    // The local cloud does not say which event an event follows.
    return event.previousEventId === undefined
      ? [...runs].findLast(([, run]) => run.status === 'running')?.[0]
      : undefined;
  };
  for (const event of events) {
    const time = event.timestamp?.getTime() ?? now.getTime();
    if (event.stateEnteredEventDetails !== undefined) {
      runs.set(event.id ?? 0, {
        name: event.stateEnteredEventDetails.name ?? '',
        status: 'running',
        startedAt: new Date(time).toISOString(),
        entered: time,
        milliseconds: now.getTime() - time,
        error: undefined,
      });
      continue;
    }
    const failure =
      event.taskFailedEventDetails ?? event.taskTimedOutEventDetails ?? event.lambdaFunctionFailedEventDetails;
    const isExit = event.stateExitedEventDetails !== undefined;
    // What was tried again and then succeeded has not failed.
    const isMended = event.type === 'TaskSucceeded' || event.type === 'LambdaFunctionSucceeded';
    if (!isExit && !isMended && failure === undefined) continue;
    const id = isExit ? openRun(runs, event.stateExitedEventDetails?.name, enteredBy(event)) : enteredBy(event);
    const run = id === undefined ? undefined : runs.get(id);
    if (id === undefined || run === undefined) continue;
    const milliseconds = time - run.entered;
    if (isMended) runs.set(id, { ...run, error: undefined });
    else if (failure === undefined)
      runs.set(id, { ...run, status: run.error === undefined ? 'done' : 'failed', milliseconds });
    else
      runs.set(id, {
        ...run,
        error: `${failure.error ?? 'error'}: ${(failure.cause ?? '').slice(0, 300)}`,
        milliseconds,
      });
  }
  const last = events.at(-1);
  const isOver = last?.type !== undefined && ENDS.has(last.type);
  const end = last?.timestamp?.getTime() ?? now.getTime();
  return [...runs.values()].map(({ entered, ...run }) => {
    if (run.status !== 'running') return run;
    if (!isOver) return { ...run, milliseconds: now.getTime() - entered };
    // A Fail state, and whatever was under way when an execution was stopped, is never left.
    return { ...run, status: last.type === 'ExecutionSucceeded' ? 'done' : 'failed', milliseconds: end - entered };
  });
}

/** Which run of a state an exit ends: the one on the way back through the history, else the oldest open one of that name. */
function openRun(
  runs: ReadonlyMap<number, StateRun>,
  name: string | undefined,
  traced: number | undefined,
): number | undefined {
  if (traced !== undefined && runs.get(traced)?.name === name) return traced;
  return [...runs].find(([, run]) => run.name === name && run.status === 'running')?.[0];
}
