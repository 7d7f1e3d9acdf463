import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  ListExecutionsCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stepFunctions } from '#adapters/aws/state-machines.ts';
import { memoryStateMachines } from '#adapters/memory/state-machines.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { clients, eventually, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await freshCloud();
});
afterAll(async () => cloud[Symbol.asyncDispose]());

interface Fixture {
  readonly machines: StateMachines;
  /** The names and inputs of what was started. */
  readonly started: () => Promise<Record<string, unknown>>;
  /** A token that a task waits with. */
  readonly waits: () => Promise<string>;
  /** What the task was told. */
  readonly told: (token: string) => Promise<unknown>;
  /** Names of executions of which one runs, one was stopped, and one does not exist. */
  readonly ends: () => Promise<readonly [running: string, ended: string, absent: string]>;
}

function inMemory(): Fixture {
  const machines = memoryStateMachines();
  let tokens = 0;
  return {
    machines,
    started: async () => Object.fromEntries([...machines.started].map(([name, { input }]) => [name, input])),
    async waits() {
      tokens += 1;
      machines.waiting.add(`token-${tokens}`);
      return `token-${tokens}`;
    },
    told: async (token) => machines.answers.get(token),
    async ends() {
      machines.ended.set('stopped', 'ABORTED').set('absent', 'it does not exist');
      return ['running', 'stopped', 'absent'];
    },
  };
}

async function inStepFunctions(): Promise<Fixture> {
  const { sfn, sqs } = clients(cloud, '111111111111');
  const { QueueUrl: queue = '' } = await sqs().send(new CreateQueueCommand({ QueueName: 'tokens' }));
  const create = async (name: string, States: object): Promise<string> => {
    const definition = JSON.stringify({ StartAt: 'Wait', States });
    const roleArn = 'arn:aws:iam::111111111111:role/any';
    return (await sfn().send(new CreateStateMachineCommand({ name, definition, roleArn }))).stateMachineArn ?? '';
  };
  const promotion = await create('promotion', { Wait: { Type: 'Wait', Seconds: 1200, End: true } });
  const waiting = await create('waiting', {
    Wait: {
      Type: 'Task',
      Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
      Parameters: { QueueUrl: queue, MessageBody: { 'token.$': '$$.Task.Token' } },
      End: true,
    },
  });
  const executions = new Map<string, string>();
  return {
    machines: stepFunctions(sfn(), () => promotion),
    async started() {
      const { executions: found = [] } = await sfn().send(new ListExecutionsCommand({ stateMachineArn: promotion }));
      const described = await Promise.all(
        found.map(({ executionArn }) => sfn().send(new DescribeExecutionCommand({ executionArn }))),
      );
      return Object.fromEntries(described.map(({ name, input = '' }) => [name, JSON.parse(input) as unknown]));
    },
    async waits() {
      const { executionArn = '' } = await sfn().send(new StartExecutionCommand({ stateMachineArn: waiting }));
      const token = await eventually('a token', async () => {
        const { Messages: messages } = await sqs().send(
          new ReceiveMessageCommand({ QueueUrl: queue, WaitTimeSeconds: 1 }),
        );
        const body = messages?.[0]?.Body;
        return body === undefined ? undefined : (JSON.parse(body) as { token: string }).token;
      });
      executions.set(token, executionArn);
      return token;
    },
    told: (token) =>
      eventually('the end of the task', async () => {
        const { output } = await sfn().send(new DescribeExecutionCommand({ executionArn: executions.get(token) }));
        return output === undefined ? undefined : (JSON.parse(output) as unknown);
      }),
    async ends() {
      const start = async (name: string) =>
        (await sfn().send(new StartExecutionCommand({ stateMachineArn: promotion, name }))).executionArn;
      await start('running');
      await sfn().send(new StopExecutionCommand({ executionArn: await start('stopped') }));
      return ['running', 'stopped', 'absent'];
    },
  };
}

describe.each([
  ['in memory', async () => inMemory()],
  ['in Step Functions', inStepFunctions],
])('state machines %s', (_, fresh: () => Promise<Fixture>) => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await fresh();
  });

  it('start a name once, however often it is asked for', async () => {
    const { machines, started } = fixture;
    expect(await machines.start('promotion', 'once', { release: 'a', list: [1] })).toBe('started');
    // Whoever did not hear the answer asks again: while it runs AWS repeats its answer, afterwards it says the other one.
    const again = await machines.start('promotion', 'once', { release: 'a', list: [1] });
    expect(['started', 'already-started']).toContain(again);
    expect(await machines.start('promotion', 'once', { release: 'b' })).toBe('already-started');
    expect(await machines.start('promotion', 'another', { release: 'b' })).toBe('started');
    expect(await started()).toEqual({ once: { release: 'a', list: [1] }, another: { release: 'b' } });
  });

  it('start a name once of many who ask at once with inputs of their own', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, by) => fixture.machines.start('promotion', 'raced', { by })),
    );
    expect(answers.filter((answer) => answer === 'started')).toHaveLength(1);
    expect((await fixture.started())['raced']).toEqual({ by: answers.indexOf('started') });
  });

  it('tell who waits, once; after that, and with any other token, nobody waits', async () => {
    const { machines, waits, told } = fixture;
    const token = await waits();
    expect(await machines.succeed(token, { status: 'trained' })).toBe('returned');
    expect(await told(token)).toEqual({ status: 'trained' });
    expect(await machines.succeed(token, { status: 'failed' })).toBe('gone');
    expect(await machines.succeed('no such token', {})).toBe('gone');
    expect(await told(token)).toEqual({ status: 'trained' });
  });

  it('say of an execution how it ended, and nothing while it runs', async () => {
    const { machines, ends } = fixture;
    const [running, ended, absent] = await ends();
    expect(await machines.endOf('promotion', running)).toBeUndefined();
    expect(await machines.endOf('promotion', ended)).toMatch(/ABORTED/);
    expect(await machines.endOf('promotion', absent)).toBe('it does not exist');
  });

  it('return a token once when several answer at the same time', async () => {
    const token = await fixture.waits();
    const answers = await Promise.all(Array.from({ length: 8 }, (_, by) => fixture.machines.succeed(token, { by })));
    expect(answers.filter((answer) => answer === 'returned')).toHaveLength(1);
    expect(await fixture.told(token)).toEqual({ by: answers.indexOf('returned') });
  });
});
