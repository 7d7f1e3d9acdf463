import { type Environment, MACHINES } from '#domain/environment/environment.ts';
import { ExecutionDoesNotExist } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';

import { findRun, type Run } from '#read-model/runs.ts';
import { type Cloud, notDeployed } from '../../cloud.ts';
import type { Context } from '../../context.ts';
import { refuse, UsageError } from '../../refusal.ts';
import { executionArn } from '../../executions.ts';

const Input = z.object({ model: ModelName, run: z.string().min(1).max(80), machine: z.string().optional() });

/** The execution that the arguments `<model> <run>` and the options `--env` and `--machine` name. */
export async function namedExecution(
  context: Context,
): Promise<{ readonly cloud: Cloud; readonly arn: string; readonly model: string; readonly run: string }> {
  const { model, run, machine } = context.input(Input);
  const environment = context.environment(['dev', 'staging', 'prod'], 'dev');
  const cloud = context.cloud(environment);
  const known = machine ?? (await machineThatRan(cloud, model, run));
  return { cloud, model, run, arn: executionArn(cloud, machineOf(environment, known), run) };
}

/** The machine of a run: as the ledger has it, else the one that has an execution of this name. */
async function machineThatRan(cloud: Cloud, model: string, run: string): Promise<string> {
  const recorded = await findRun(cloud.ledger, model, run);
  if (recorded !== undefined) return recorded.machine;
  for (const machine of MACHINES[cloud.environment]) {
    const isThere = await cloud.executions.describe(executionArn(cloud, machine, run)).then(
      () => true,
      (error: unknown) => (error instanceof ExecutionDoesNotExist ? false : notDeployed(cloud.environment, error)),
    );
    if (isThere) return machine;
  }
  return refuse(
    'run-known',
    `${cloud.environment} has no run or execution ${run} of ${MACHINES[cloud.environment].join(', ')}`,
    `see: gatehouse run list ${model} --env ${cloud.environment}, or name another environment by --env`,
  );
}

/** What the ledger says of a run, or a refusal. */
export async function recordedRun(cloud: Cloud, model: string, run: string): Promise<Run> {
  const recorded = await findRun(cloud.ledger, model, run);
  if (recorded !== undefined) return recorded;
  return refuse(
    'run-known',
    `${cloud.environment} recorded no run ${run} of ${model}`,
    `see: gatehouse run list ${model} --env ${cloud.environment}`,
  );
}

function machineOf(environment: Environment, machine: string): string {
  const known: readonly string[] = MACHINES[environment];
  if (known.includes(machine)) return machine;
  throw new UsageError(`--machine ${machine}: ${environment} has ${known.join(', ') || 'none'}`);
}
