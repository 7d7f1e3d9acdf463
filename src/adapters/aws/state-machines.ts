import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  InvalidToken,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
  TaskDoesNotExist,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import { messageText } from '#domain/limits.ts';
import type { Machine, StateMachines } from '#ports/state-machines.ts';

/** Step Functions of this environment. */
export function stepFunctions(client: SFNClient, arnOf: (machine: Machine) => string): StateMachines {
  return {
    async start(machine, name, input) {
      try {
        await client.send(
          new StartExecutionCommand({
            stateMachineArn: arnOf(machine),
            name,
            input: messageText(`the input of ${machine}`, input),
          }),
        );
        return 'started';
      } catch (error) {
        if (error instanceof ExecutionAlreadyExists) return 'already-started';
        throw error;
      }
    },
    async succeed(token, output) {
      try {
        await client.send(
          new SendTaskSuccessCommand({ taskToken: token, output: messageText('the answer to a task', output) }),
        );
        return 'returned';
      } catch (error) {
        if (error instanceof TaskDoesNotExist || error instanceof TaskTimedOut || error instanceof InvalidToken)
          return 'gone';
        throw error;
      }
    },
    async endOf(machine, name) {
      try {
        const executionArn = `${arnOf(machine).replace(':stateMachine:', ':execution:')}:${name}`;
        const { status, error, cause } = await client.send(new DescribeExecutionCommand({ executionArn }));
        if (status === 'RUNNING' || status === 'PENDING_REDRIVE') return undefined;
        return [status, error, cause].filter((each) => each !== undefined && each !== '').join(': ');
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return 'it does not exist';
        throw error;
      }
    },
  };
}
