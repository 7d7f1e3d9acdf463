import { MACHINES } from '#domain/environment/environment.ts';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { judgeApprovals } from '#domain/approval/approval.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';

import type { Machine } from '#ports/state-machines.ts';
import { readApprovals } from '#read-model/grounds.ts';
import { readPromotions } from '#read-model/promotions.ts';
import { readTasks } from '#read-model/tasks.ts';
import type { Cloud } from '../cloud.ts';
import type { Described } from './history.ts';
import { machineOutline } from './outline.ts';
import { type Progress, progressOf, type ProgressContext } from './progress.ts';

/** What an execution was given, as far as its progress needs it. */
const Input = z.looseObject({
  model: z.string().optional(),
  run: z.string().optional(),
  AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: z.string().optional(),
});

/** An execution at a moment. */
export interface Inspection extends Described {
  readonly arn: string;
  readonly machine: Machine;
  readonly events: readonly HistoryEvent[];
  readonly progress: Progress;
}

/** How far an execution is now; `before` is an earlier look at it, of which nothing is read again. */
export async function inspect(cloud: Cloud, arn: string, now: Date, before?: Inspection): Promise<Inspection> {
  const machine = machineOf(cloud, arn);
  // In this order: an execution that has ended has its whole history.
  const described = await cloud.executions.describe(arn);
  const events = await cloud.executions.history(arn, before?.events ?? []);
  const execution = { ...described, events };
  const around = described.status === 'RUNNING' ? await surroundingsOf(cloud, arn, described, events, now) : {};
  const progress = progressOf(machineOutline(machine), execution, around, now);
  return { ...described, arn, machine, events, progress };
}

/** An execution at work. */
export interface AtWork {
  readonly machine: Machine;
  readonly execution: string;
  readonly progress: Progress;
}

/** The executions of a model that are under way in an environment; one that another waits for is told by that one. */
export async function atWork(cloud: Cloud, model: string, now: Date): Promise<readonly AtWork[]> {
  const found = await Promise.all(
    MACHINES[cloud.environment].map(async (machine) => {
      const arns = await cloud.executions.running(cloud.names.stateMachineArn(machine));
      return Promise.all(
        arns.map(async (arn) => {
          const input = Input.parse(JSON.parse((await cloud.executions.describe(arn)).input));
          const isOwn = input.model === model && input.AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID === undefined;
          return isOwn
            ? [{ machine, execution: nameOf(arn), progress: (await inspect(cloud, arn, now)).progress }]
            : [];
        }),
      );
    }),
  );
  // One may have ended since it was listed.
  return found.flat(2).filter(({ progress }) => progress.status === 'RUNNING');
}

/** The machine that waits, the state in which it does, and the machine that it waits for. */
const CHILDREN: Readonly<Record<string, Machine>> = {
  'Validate candidates': 'validation',
  'Repair predictions': 'batch-inference',
  'Roll back': 'rollback',
};
const SHARDS = new Set(['Build daily shards', 'Build feature shards', 'Score shards']);

async function surroundingsOf(
  cloud: Cloud,
  arn: string,
  { input }: Described,
  events: readonly HistoryEvent[],
  now: Date,
): Promise<ProgressContext> {
  const { model, run } = Input.parse(JSON.parse(input));
  // Within a Map AWS reports the states of its iterations too: what counts is what the machine itself is in.
  const outline = machineOutline(machineOf(cloud, arn));
  const state = events.findLast(({ stateEnteredEventDetails: entered }) => outline.has(entered?.name ?? ''))
    ?.stateEnteredEventDetails?.name;
  if (state === undefined || model === undefined) return {};
  if (SHARDS.has(state)) {
    const mapRun = await cloud.executions.mapRun(arn);
    return mapRun === undefined ? {} : { mapRun };
  }
  if (state === 'Train windows') return { jobs: await jobsOf(cloud, run ?? nameOf(arn)) };
  if (state === 'Request approvals') return { approvals: await approvalsLacking(cloud, model, nameOf(arn), now) };
  const child = CHILDREN[state];
  if (child === undefined) return {};
  for (const other of await cloud.executions.running(cloud.names.stateMachineArn(child))) {
    const described = await cloud.executions.describe(other);
    if (Input.parse(JSON.parse(described.input)).AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID !== arn) continue;
    return { child: (await inspect(cloud, other, now)).progress };
  }
  return {};
}

const Waiting = z.looseObject({ sk: z.string(), run: z.string(), answered: z.boolean() });

async function jobsOf(cloud: Cloud, run: string): Promise<readonly string[]> {
  const items = z.array(Waiting).parse(await readTasks(cloud.ledger, 'training'));
  return items.filter((item) => item.run === run && !item.answered).map(({ sk }) => sk);
}

async function approvalsLacking(cloud: Cloud, model: string, name: string, now: Date): Promise<readonly string[]> {
  const promotion = (await readPromotions(cloud.ledger, model)).find((each) => each.promotion === name);
  return promotion === undefined ? [] : lackingApprovals(cloud.ledger, promotion, now);
}

/** Whose approval a promotion waits for, such as `1 of ml-lead`. */
export async function lackingApprovals(
  ledger: Cloud['ledger'],
  promotion: Promotion,
  now: Date,
): Promise<readonly string[]> {
  if (promotion.status !== 'awaiting-approval') return [];
  const outcome = judgeApprovals(promotion, await readApprovals(ledger, promotion), now);
  return outcome.kind === 'pending' ? outcome.missing.map(({ role, count }) => `${count} of ${role}`) : [];
}

const nameOf = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);

export function machineOf(cloud: Cloud, arn: string): Machine {
  const found = MACHINES[cloud.environment].find((machine) =>
    arn.startsWith(`${cloud.names.stateMachineArn(machine).replace(':stateMachine:', ':execution:')}:`),
  );
  if (found === undefined) throw new Error(`${arn} is no execution of ${cloud.environment}`);
  return found;
}
