import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import {
  DescribeExecutionCommand,
  ExecutionDoesNotExist,
  type HistoryEvent,
  paginateGetExecutionHistory,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { z } from 'zod';
import type { Machine } from '#ports/state-machines.ts';
import { type Cloud, notDeployed } from './cloud.ts';
import type { Context } from './context.ts';
import { refuse } from './refusal.ts';
import { duration, type TableSection } from './report.ts';
import { poll } from './waiting.ts';

/** A state of an execution: how long it took, and how it ended. */
export interface StateRun {
  readonly name: string;
  readonly status: 'running' | 'done' | 'failed';
  readonly startedAt: string;
  readonly milliseconds: number;
  readonly error: string | undefined;
}

/** An execution and the states that it has gone through. */
export interface ExecutionView {
  readonly arn: string;
  readonly status: string;
  readonly output: unknown;
  readonly states: readonly StateRun[];
}

/** The longest that a command waits for an execution that has no shorter limit of its own. */
export const EXECUTION_DEADLINE_MS = 6 * 3_600_000;

/** Who starts an execution from this command line: the user of this machine; the account's own trail knows the credentials. */
export function operator(): string {
  return `person:${userInfo().username}`;
}

/** A name that no other execution has. */
export function freshName(...parts: readonly string[]): string {
  const suffix = randomUUID().slice(0, 8);
  return `${parts.join('-').slice(0, 80 - suffix.length - 1)}-${suffix}`;
}

/** Starts an execution of one of the environment's machines. */
export async function startExecution(cloud: Cloud, machine: Machine, name: string, input: object): Promise<string> {
  const stateMachineArn = cloud.names.stateMachineArn(machine);
  try {
    const started = await cloud.sfn.send(
      new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
    );
    return started.executionArn ?? executionArn(cloud, machine, name);
  } catch (error) {
    return notDeployed(cloud.environment, error);
  }
}

/** The ARN of an execution by its name. */
export function executionArn(cloud: Pick<Cloud, 'names'>, machine: string, name: string): string {
  return `${cloud.names.stateMachineArn(machine).replace(':stateMachine:', ':execution:')}:${name}`;
}

/** An execution as it stands now. */
export async function describeExecution(cloud: Cloud, arn: string): Promise<ExecutionView> {
  try {
    const described = await cloud.sfn.send(new DescribeExecutionCommand({ executionArn: arn }));
    const events: HistoryEvent[] = [];
    for await (const page of paginateGetExecutionHistory({ client: cloud.sfn }, { executionArn: arn })) {
      events.push(...(page.events ?? []));
    }
    const output: unknown = described.output === undefined ? undefined : JSON.parse(described.output);
    return { arn, status: described.status ?? 'UNKNOWN', output, states: statesOf(events, new Date()) };
  } catch (error) {
    if (!(error instanceof ExecutionDoesNotExist)) return notDeployed(cloud.environment, error);
    const name = arn.slice(arn.lastIndexOf(':') + 1);
    return refuse('execution-known', `${cloud.environment} has no execution ${name}`, 'see: gatehouse run list MODEL');
  }
}

/** Waits until an execution ends, and says each state that it enters. */
export async function followExecution(context: Context, cloud: Cloud, arn: string): Promise<ExecutionView> {
  let told = 0;
  const ended = await poll(async () => {
    const view = await describeExecution(cloud, arn);
    const done = view.states.filter((state) => state.status !== 'running');
    for (const state of done.slice(told))
      context.note(`  ${state.status === 'failed' ? 'x' : '.'} ${state.name} (${duration(state.milliseconds)})`);
    told = done.length;
    return view.status === 'RUNNING' ? undefined : view;
  }, EXECUTION_DEADLINE_MS);
  return ended ?? describeExecution(cloud, arn);
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
    return undefined;
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
    if (!isExit && failure === undefined) continue;
    const id = isExit ? openRun(runs, event.stateExitedEventDetails?.name, enteredBy(event)) : enteredBy(event);
    const run = id === undefined ? undefined : runs.get(id);
    if (id === undefined || run === undefined) continue;
    const milliseconds = time - run.entered;
    if (failure === undefined)
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
    if (!isOver || run.status !== 'running') return run;
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

/** States as a table. */
export function statesSection(states: readonly StateRun[]): TableSection {
  return {
    columns: ['state', 'status', 'took', 'error'],
    rows: states.map((state) => [state.name, state.status, duration(state.milliseconds), state.error ?? '']),
    empty: 'no state was entered yet',
  };
}

const Refused = z.looseObject({ refusal: z.object({ rule: z.string(), found: z.string(), remedy: z.string() }) });

/** The refusal that an execution ended with, wherever in its document it stands. */
export function refusalIn({ output }: Pick<ExecutionView, 'output'>): z.infer<typeof Refused>['refusal'] | undefined {
  const found = Refused.safeParse(output);
  if (found.success) return found.data.refusal;
  if (typeof output !== 'object' || output === null) return undefined;
  for (const value of Object.values(output)) {
    const inner = Refused.safeParse(value);
    if (inner.success) return inner.data.refusal;
  }
  return undefined;
}
