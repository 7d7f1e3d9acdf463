import { Role, ServicePrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Scheduled } from '#domain/supervision/schedules.ts';
import type { Names } from '#model/names.ts';

export interface ScheduleProps {
  readonly names: Names;
  /** One of `schedulesOf`: what is not in that list is not supervised. */
  readonly schedule: Scheduled;
  readonly targetArn: string;
  /** What the schedule may do with its target. */
  readonly action: 'states:StartExecution' | 'lambda:InvokeFunction';
  readonly input?: object;
}

/** A schedule that knows its time zone, tries again within limits, and keeps what it could not deliver. */
export class Schedule extends Construct {
  constructor(scope: Construct, id: string, props: ScheduleProps) {
    super(scope, id);
    const { expression, timezone } = props.schedule;
    const name = props.names.name(props.schedule.name);
    const deadLetters = new Queue(this, 'DeadLetters', {
      queueName: `${name}-undelivered`,
      retentionPeriod: Duration.days(14),
      enforceSSL: true,
    });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: [props.action], resources: [props.targetArn] }));
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }));
    new CfnSchedule(this, 'Schedule', {
      name,
      scheduleExpression: expression,
      scheduleExpressionTimezone: timezone,
      flexibleTimeWindow: { mode: 'OFF' },
      state: 'ENABLED',
      target: {
        arn: props.targetArn,
        roleArn: role.roleArn,
        input: JSON.stringify(props.input ?? {}),
        retryPolicy: { maximumRetryAttempts: 8, maximumEventAgeInSeconds: 3600 },
        deadLetterConfig: { arn: deadLetters.queueArn },
      },
    });
  }
}
