import { type LambdaClient, InvokeCommand } from '@aws-sdk/client-lambda';
import {
  AuthorizationErrorException,
  NotFoundException,
  paginateListSubscriptionsByTopic,
  type SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { messageText } from '#domain/limits.ts';
import type { Inbox } from '#ports/inbox.ts';

/** The inbox as an SQS queue that the reconciler keeps subscribed to the peers' SNS topics. */
export function sqsInbox(
  clients: { readonly sns: SNSClient; readonly sqs: SQSClient; readonly lambda: LambdaClient },
  names: {
    readonly queueArn: string;
    readonly queueUrl: string;
    readonly publisher: string;
    topicOf(environment: string): string;
  },
): Inbox {
  return {
    async subscribe(peer) {
      const topic = names.topicOf(peer);
      try {
        // Subscribe answers with the existing subscription; the listing tells whether there was one.
        const before = await isSubscribed(clients.sns, topic, names.queueArn);
        if (before) return 'was-subscribed';
        await clients.sns.send(
          new SubscribeCommand({
            TopicArn: topic,
            Protocol: 'sqs',
            Endpoint: names.queueArn,
            ReturnSubscriptionArn: true,
          }),
        );
        return 'subscribed';
      } catch (error) {
        // To another account a topic that is not there yet looks like one that may not be touched.
        if (error instanceof NotFoundException || error instanceof AuthorizationErrorException) return 'absent';
        throw error;
      }
    },
    async askToRead(environment, model) {
      await clients.sqs.send(
        new SendMessageCommand({
          QueueUrl: names.queueUrl,
          MessageBody: messageText('a hint', { environment, model }),
        }),
      );
    },
    async askToPublish(model) {
      await clients.lambda.send(
        new InvokeCommand({
          FunctionName: names.publisher,
          InvocationType: 'Event',
          Payload: JSON.stringify({ model }),
        }),
      );
    },
  };
}

async function isSubscribed(client: SNSClient, topic: string, endpoint: string): Promise<boolean> {
  for await (const page of paginateListSubscriptionsByTopic({ client }, { TopicArn: topic })) {
    if ((page.Subscriptions ?? []).some((subscription) => subscription.Endpoint === endpoint)) return true;
  }
  return false;
}
