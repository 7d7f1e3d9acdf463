import { SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { z } from 'zod';
import type { AuditCode } from '#domain/audit/events.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Journey, MODEL, type SpineEnvironment } from './_harness.ts';

/** What a person on call reads. */
const Alert = z.looseObject({
  subject: z.string(),
  meaning: z.string(),
  code: z.string(),
  environment: z.string(),
  seq: z.number(),
  details: z.record(z.string(), z.unknown()),
});
export type Alert = z.infer<typeof Alert>;

/** What CloudWatch sends to the same topic. */
const Alarm = z.looseObject({ AlarmName: z.string(), NewStateValue: z.string() });

const Notification = z.object({ Subject: z.string(), Message: z.string() });

/** Somebody who has subscribed to an environment's alerts. */
export interface Listener {
  /** Waits for an alert that must come. */
  hears(code: AuditCode, fits?: (alert: Alert) => boolean): Promise<Alert>;
  /** Waits for an alarm that must go off. */
  hearsAlarm(name: string): Promise<void>;
  /** The names of the alarms that have gone off so far. */
  alarms(): readonly string[];
}

/** Subscribes a queue to an environment's alerts, as a pager would be. */
export async function listen(journey: Journey, environment: SpineEnvironment): Promise<Listener> {
  const { aws, names } = journey.account(environment);
  const sqs = aws.sqs();
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: names.name('pager') }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  await aws
    .sns()
    .send(
      new SubscribeCommand({ TopicArn: names.alertsTopicArn, Protocol: 'sqs', Endpoint: Attributes?.['QueueArn'] }),
    );
  const heard: Alert[] = [];
  const alarms: string[] = [];
  const receive = async (): Promise<void> => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    for (const { Body = '' } of Messages) {
      const { Subject, Message } = Notification.parse(JSON.parse(Body));
      const message = JSON.parse(Message) as object;
      const alarm = Alarm.safeParse(message);
      if (!alarm.success) heard.push(Alert.parse({ ...message, subject: Subject }));
      else if (alarm.data.NewStateValue !== 'OK') alarms.push(alarm.data.AlarmName);
    }
    if (Messages.length === 0) return;
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  };
  return {
    hears: (code, fits = () => true) =>
      eventually(`the alert ${code} of ${environment}`, async () => {
        await receive();
        const alert = heard.find((each) => each.code === code && fits(each));
        if (alert !== undefined && alert.subject !== `[${environment}] ${MODEL}: ${code}`)
          throw new Error(`an alert with the subject ${alert.subject}`);
        return alert;
      }),
    hearsAlarm: async (name) => {
      await eventually(`the alarm ${name}`, async () => {
        await receive();
        return alarms.includes(name) ? name : undefined;
      });
    },
    alarms: () => alarms,
  };
}
