import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { type MessageAttributeValue, PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { AUDIT_EVENTS } from '#domain/audit/events.ts';
import { GatehouseError } from '#domain/error.ts';
import { checkedMessage, messageText } from '#domain/limits.ts';
import type { Announcements } from '#ports/announcements.ts';

/**
 * Announcements by SNS, local events by EventBridge, alerts by SNS. The client of alerts must not try again by itself: an
 * alert whose answer got lost would be mailed twice, and would not say so.
 */
export function snsAnnouncements(
  clients: { readonly sns: SNSClient; readonly alerts: SNSClient; readonly events: EventBridgeClient },
  names: { readonly announcementsTopic: string; readonly alertsTopic: string; readonly bus: string },
): Announcements {
  return {
    async announce({ environment, model, seq }) {
      await clients.sns.send(
        new PublishCommand({
          TopicArn: names.announcementsTopic,
          Message: messageText('an announcement', { environment, model, seq }),
        }),
      );
    },
    async emit(record) {
      await putEvent(clients.events, names.bus, record.code, record);
    },
    async alert(record, { mayRepeat }) {
      const { environment, model, code } = record;
      const note = mayRepeat ? { note: 'this may repeat an earlier message: nobody knows whether that was sent' } : {};
      await clients.alerts.send(
        new PublishCommand({
          TopicArn: names.alertsTopic,
          Subject: `[${environment}] ${model}: ${code}${mayRepeat ? ' (may repeat)' : ''}`.slice(0, 100),
          // By which subscriptions are filtered.
          MessageAttributes: attributesOf({ environment, model, code, role: record.details['role'] }),
          Message: checkedMessage(
            `the alert of ${code}`,
            JSON.stringify({ ...note, meaning: AUDIT_EVENTS[code].meaning, ...record }, null, 2),
          ),
        }),
      );
    },
  };
}

/** The attributes of a message, of those that are texts. */
function attributesOf(values: Readonly<Record<string, unknown>>): Record<string, MessageAttributeValue> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      typeof value === 'string' && value !== '' ? [[name, { DataType: 'String', StringValue: value }]] : [],
    ),
  );
}

/** Puts one event on a bus; a refused entry is a fault, although the call succeeds. */
export async function putEvent(client: EventBridgeClient, bus: string, type: string, detail: object): Promise<void> {
  const output = await client.send(
    new PutEventsCommand({
      Entries: [
        { EventBusName: bus, Source: 'gatehouse', DetailType: type, Detail: messageText(`the event ${type}`, detail) },
      ],
    }),
  );
  if ((output.FailedEntryCount ?? 0) > 0) {
    throw new GatehouseError(
      'EVENT_REFUSED',
      `the bus ${bus} refused ${type}: ${output.Entries?.[0]?.ErrorMessage ?? 'no reason given'}`,
      { bus, type },
    );
  }
}
