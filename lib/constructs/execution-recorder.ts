import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { accessTo } from './access.ts';
import { GatehouseFunction, type StackContext } from './function.ts';

/** Records executions that ended without a state of theirs having recorded it: stopped, or timed out as a whole. */
export class ExecutionRecorder extends Construct {
  constructor(scope: Construct, id: string, props: StackContext & { readonly machines: readonly string[] }) {
    super(scope, id);
    const { names, machines } = props;
    const recorder = new GatehouseFunction(this, 'Recorder', {
      ...props,
      privilege: 'recorder',
      isAsynchronous: true,
    }).bind(
      accessTo(names).environment(),
      accessTo(names).writesLedger('RUN', ...(machines.includes('promotion') ? ['PROMOTION', 'LOCK', 'FENCE'] : [])),
    );
    new Rule(this, 'EndedBadly', {
      ruleName: names.name('executions-ended-badly'),
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
          stateMachineArn: machines.map((machine) => names.stateMachineArn(machine)),
        },
      },
      targets: [new LambdaFunction(recorder.lambda)],
    });
  }
}
