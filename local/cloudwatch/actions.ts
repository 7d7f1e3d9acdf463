import type { MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { setTimeout as pause } from 'node:timers/promises';
import { awsTime } from './alarm.ts';
import type { AlarmState } from './evaluate.ts';

// AWS repeats until Lambda has taken it; an emulator that does not within this time is gone.
const ATTEMPTS = 20;
const PAUSE_MS = 500;

/** A change of an alarm's state. */
export interface Transition {
  readonly account: string;
  readonly region: string;
  /** The alarm as it was before. */
  readonly alarm: MetricAlarm;
  readonly state: AlarmState;
  readonly reason: string;
  readonly reasonData: string | undefined;
  readonly at: number;
}

/** The functions that a transition invokes; SNS is notified by the emulator's SetAlarmState. */
export function lambdaActions({ alarm, state }: Pick<Transition, 'alarm' | 'state'>): readonly string[] {
  if (alarm.ActionsEnabled === false) return [];
  const actions = {
    OK: alarm.OKActions,
    ALARM: alarm.AlarmActions,
    INSUFFICIENT_DATA: alarm.InsufficientDataActions,
  }[state];
  return (actions ?? []).filter((arn) => /^arn:[a-z-]+:lambda:/.test(arn));
}

/**
 * The event that CloudWatch invokes a function with.
 *
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
 */
export function alarmEvent({ account, region, alarm, state, reason, reasonData, at }: Transition): unknown {
  return {
    source: 'aws.cloudwatch',
    alarmArn: alarm.AlarmArn,
    accountId: account,
    time: awsTime(at),
    region,
    alarmData: {
      alarmName: alarm.AlarmName,
      state: { value: state, reason, ...(reasonData !== undefined && { reasonData }), timestamp: awsTime(at) },
      previousState: {
        value: alarm.StateValue,
        reason: alarm.StateReason,
        ...((alarm.StateReasonData ?? '') !== '' && { reasonData: alarm.StateReasonData }),
        ...(alarm.StateUpdatedTimestamp !== undefined && { timestamp: awsTime(alarm.StateUpdatedTimestamp.getTime()) }),
      },
      configuration: {
        ...((alarm.AlarmDescription ?? '') !== '' && { description: alarm.AlarmDescription }),
        metrics: [
          {
            id: 'm1',
            metricStat: {
              metric: {
                namespace: alarm.Namespace,
                name: alarm.MetricName,
                dimensions: Object.fromEntries((alarm.Dimensions ?? []).map(({ Name, Value }) => [Name, Value])),
              },
              period: alarm.Period,
              stat: alarm.Statistic,
            },
            returnData: true,
          },
        ],
      },
    },
  };
}

/** Invokes the functions of a transition, asynchronously as AWS does; says which one could not be invoked. */
export async function invokeActions(
  endpoint: string,
  transition: Transition,
  say: (message: string) => void,
): Promise<void> {
  const Payload = JSON.stringify(alarmEvent(transition));
  const { region } = transition;
  for (const arn of lambdaActions(transition)) {
    const credentials = { accessKeyId: arn.split(':')[4] ?? '', secretAccessKey: 'test' };
    const client = new LambdaClient({ endpoint, region, credentials });
    for (let attempt = 1; ; attempt += 1) {
      try {
        await client.send(new InvokeCommand({ FunctionName: arn, InvocationType: 'Event', Payload }));
        break;
      } catch (error) {
        const gone = error instanceof Error && error.name === 'ResourceNotFoundException';
        if (gone || attempt === ATTEMPTS) {
          say(`${transition.alarm.AlarmName} could not invoke ${arn}: ${String(error)}`);
          break;
        }
        await pause(PAUSE_MS);
      }
    }
  }
}
