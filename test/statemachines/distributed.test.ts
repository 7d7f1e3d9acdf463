import { CreateFunctionCommand } from '@aws-sdk/client-lambda';
import { CreateStateMachineCommand, DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clients, eventually, freshCloud, type TestCloud } from '../_helpers/cloud.ts';
import { textOf } from '#local/statemachines/machines.ts';

/*
 * The batch machine as it stands, at a scale for which it uses Distributed Maps, run by the emulator: its functions are
 * replaced by one that plans a hundred batches and answers for each what it was given.
 */

const ACCOUNT = '111111111111';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/any`;
const FUNCTION = `
export const handler = async ({ task, input }) => {
  console.log(task);
  const batches = Array.from({ length: 100 }, (_, from) => ({ work: 'sha256:w', model: 'm', from, to: from + 1 }));
  const work = { dailyBatches: batches.slice(0, 2), featureBatches: batches.slice(0, 3), scoreBatches: batches };
  if (task === 'Plan reconciliation') return { status: 'planned', kind: 'full', scale: 'distributed', rows: 'none', plan: 'sha256:p', ...work };
  if (task === 'Score shard' && input.from === globalThis.failing) throw new Error('planted');
  return { status: task === 'Report run' ? 'reported' : 'done', refused: null, task, input };
};`;

let cloud: TestCloud;
let aws: ReturnType<typeof clients>;
beforeAll(async () => {
  cloud = await freshCloud();
  aws = clients(cloud, ACCOUNT);
});
afterAll(() => cloud[Symbol.asyncDispose]());

async function run(name: string, program: string) {
  const { FunctionArn: arn = '' } = await aws.lambda().send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile: zipSync({ 'index.mjs': strToU8(program) }) },
    }),
  );
  const definition = textOf('batch-inference').replaceAll(/\$\{\w+Function\}/g, arn);
  const { stateMachineArn } = await aws.sfn().send(new CreateStateMachineCommand({ name, definition, roleArn: ROLE }));
  const input = JSON.stringify({ model: 'm', run: 'run-1', trigger: 'test' });
  const { executionArn } = await aws.sfn().send(new StartExecutionCommand({ stateMachineArn, input }));
  return eventually('the run', async () => {
    const { status, output } = await aws.sfn().send(new DescribeExecutionCommand({ executionArn }));
    return status === 'RUNNING' ? undefined : { status, output: output === undefined ? undefined : JSON.parse(output) };
  });
}

it('works on every batch, and passes on no more than what each refused, by digest', async () => {
  const { status, output } = await run('whole', FUNCTION);
  expect(status).toBe('SUCCEEDED');
  const passed = ['daily', 'features', 'scored'];
  expect(Object.keys(output).toSorted()).toEqual(
    [...passed, 'model', 'run', 'trigger', 'planned', 'publication', 'report'].toSorted(),
  );
  for (const each of passed.flatMap((step) => output[step] as object[]))
    expect(each).toEqual({ status: 'done', refused: null });
});

it('fails, recorded, when one batch of a hundred fails', async () => {
  const { status } = await run('failing', FUNCTION.replace('globalThis.failing', '57'));
  expect(status).toBe('FAILED');
});
