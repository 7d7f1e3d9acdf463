import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { ExecutionDoesNotExist, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { Refusal } from '#domain/refusal/refusal.ts';
import type { Machine } from '#ports/state-machines.ts';
import { type Cloud, notDeployed } from './cloud.ts';
import type { Context, Draw } from './context.ts';
import { interruptibly } from './interrupt.ts';
import { type Inspection, inspect, machineOf } from './progress/inspect.ts';
import { countedWords, linesBetween, picture, type Progress } from './progress/progress.ts';
import { type StateRun, statesOf } from './progress/states.ts';
import { policyName } from '#model/define-ownership.ts';
import ownership from '../governance/ownership.ts';
import { refuse, RefusedError } from './refusal.ts';
import { duration, type TableSection } from './report.ts';
import { poll } from './waiting.ts';

/** An execution and the states that it has gone through. */
export interface ExecutionView {
  readonly arn: string;
  readonly status: string;
  readonly output: unknown;
  readonly states: readonly StateRun[];
  readonly progress: Progress;
}

/** The longest that a command waits for an execution that has no shorter limit of its own. */
export const EXECUTION_DEADLINE_MS = 6 * 3_600_000;

/**
 * Who starts an execution from this command line: the caller's AWS identity, as the caller says; the account's own trail (CloudTrail) proves it.
 * Where STS does not answer, which keeps nobody from rolling back, it is the user of this machine.
 */
export async function operator(cloud: Pick<Cloud, 'identity'>): Promise<string> {
  const identity = await cloud.identity().catch(() => undefined);
  return `person:${(identity ?? userInfo().username).replaceAll(/[\s#]/g, '_').slice(0, 128)}`;
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
    if (error instanceof Error && error.name === 'AccessDeniedException') return refuseByRole(cloud, machine, error);
    return notDeployed(cloud.environment, error);
  }
}

/** Who may start a machine by hand is the division of work, deployed as managed policies; a refusal of AWS's names the roles. */
function refuseByRole({ environment }: Pick<Cloud, 'environment'>, machine: Machine, error: Error): never {
  const roles = ownership.acts.machines[machine] ?? [];
  const policies = roles.map((role) => policyName(environment, role)).join(' or ');
  return refuse(
    'role-held',
    `${machine} in ${environment} is started by ${roles.join(' or ') || 'the pipeline only'}: ${error.message}`,
    roles.length === 0 ? 'let the pipeline start it' : `use credentials that have the policy ${policies}`,
  );
}

/** The ARN of an execution by its name. */
export function executionArn(cloud: Pick<Cloud, 'names'>, machine: string, name: string): string {
  return `${cloud.names.stateMachineArn(machine).replace(':stateMachine:', ':execution:')}:${name}`;
}

/** An execution as it stands now; `before` is an earlier look at it. */
async function inspectExecution(cloud: Cloud, arn: string, now: Date, before?: Inspection): Promise<Inspection> {
  try {
    return await inspect(cloud, arn, now, before);
  } catch (error) {
    if (!(error instanceof ExecutionDoesNotExist)) return notDeployed(cloud.environment, error);
    const name = arn.slice(arn.lastIndexOf(':') + 1);
    return refuse('execution-known', `${cloud.environment} has no execution ${name}`, 'see: gatehouse run list MODEL');
  }
}

/** An execution and the states that it has gone through, as it stands now. */
export async function describeExecution(cloud: Cloud, arn: string, now: Date): Promise<ExecutionView> {
  return viewOf(await inspectExecution(cloud, arn, now), now);
}

function viewOf({ arn, status, output, events, progress }: Inspection, now: Date): ExecutionView {
  const parsed: unknown = output === undefined ? undefined : JSON.parse(output);
  return { arn, status, output: parsed, states: statesOf(events, now), progress };
}

/** Follows an execution until it ends: drawn again and again in a terminal, line by line without one. */
export async function followExecution(
  context: Context,
  cloud: Cloud,
  arn: string,
  model: string,
): Promise<ExecutionView> {
  const name = arn.slice(arn.lastIndexOf(':') + 1);
  let seen: Inspection | undefined;
  const machine = machineOf(cloud, arn);
  const goesOn = `${name} goes on; watch it: gatehouse run watch ${model} ${name} --machine ${machine} --env ${cloud.environment}`;
  const follow = async (draw: Draw, signal: AbortSignal): Promise<Inspection | undefined> => {
    const inspect = async (): Promise<Inspection | undefined> => {
      const found = await inspectExecution(cloud, arn, context.now(), seen);
      draw(
        picture(`${name}: ${found.machine} in ${cloud.environment}`, found.progress),
        linesBetween(seen?.progress, found.progress),
      );
      seen = found;
      return found.status === 'RUNNING' ? undefined : found;
    };
    return poll(inspect, EXECUTION_DEADLINE_MS, signal);
  };
  const ended = await context.showing(name, (draw) => interruptibly(goesOn, (signal) => follow(draw, signal)));
  return ended === undefined ? describeExecution(cloud, arn, context.now()) : viewOf(ended, context.now());
}

/** Follows an execution to its end. One that fails, or that ends in a refusal, is refused. */
export async function followToSuccess(
  context: Context,
  cloud: Cloud,
  arn: string,
  model: string,
): Promise<ExecutionView> {
  const view = await followExecution(context, cloud, arn, model);
  const name = arn.slice(arn.lastIndexOf(':') + 1);
  if (view.status !== 'SUCCEEDED')
    refuse(
      'run-succeeded',
      `the execution ended ${view.status}`,
      `see: gatehouse run logs ${model} ${name} --machine ${machineOf(cloud, arn)} --env ${cloud.environment}`,
    );
  const refusal = refusalIn(view);
  if (refusal !== undefined) throw new RefusedError(refusal);
  return view;
}

/** The states of an execution as a table, with what they did. */
export function statesSection({ steps }: Progress): TableSection {
  return {
    columns: ['state', 'what', 'status', 'took', 'error'],
    rows: steps.map((step) => [
      step.state,
      countedWords(step),
      step.status,
      duration(step.milliseconds),
      step.error ?? '',
    ]),
    empty: 'no state was entered yet',
  };
}

const Refused = z.looseObject({ refusal: Refusal });

/** The refusal that an execution ended with, wherever in its document it stands. */
export function refusalIn({ output }: Pick<ExecutionView, 'output'>): Refusal | undefined {
  const found = Refused.safeParse(output);
  if (found.success) return found.data.refusal;
  if (typeof output !== 'object' || output === null) return undefined;
  for (const value of Object.values(output)) {
    const inner = Refused.safeParse(value);
    if (inner.success) return inner.data.refusal;
  }
  return undefined;
}
