import { type CloudWatchLogsClient, paginateDescribeSubscriptionFilters } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeKeyCommand, type KMSClient, NotFoundException as NoKey } from '@aws-sdk/client-kms';
import { type LambdaClient, paginateListEventSourceMappings } from '@aws-sdk/client-lambda';
import { paginateListExecutions, type SFNClient } from '@aws-sdk/client-sfn';
import {
  AuthorizationErrorException,
  NotFoundException,
  paginateListSubscriptionsByTopic,
  type SNSClient,
} from '@aws-sdk/client-sns';
import { GetQueueAttributesCommand, paginateListQueues, QueueDoesNotExist, type SQSClient } from '@aws-sdk/client-sqs';
import type { QueueState, Resources } from '#ports/resources.ts';
import type { Machine } from '#ports/state-machines.ts';

/** The resources of this account. */
export function awsResources(
  clients: {
    readonly sfn: SFNClient;
    readonly sqs: SQSClient;
    readonly sns: SNSClient;
    readonly lambda: LambdaClient;
    readonly kms: KMSClient;
    readonly logs: CloudWatchLogsClient;
  },
  arnOf: (machine: Machine) => string,
): Resources {
  return {
    async running(machine) {
      const input = { stateMachineArn: arnOf(machine), statusFilter: 'RUNNING' } as const;
      const found: { name: string; startedAt: Date }[] = [];
      for await (const { executions = [] } of paginateListExecutions({ client: clients.sfn }, input))
        for (const { name, startDate } of executions)
          if (name !== undefined && startDate !== undefined) found.push({ name, startedAt: startDate });
      return found;
    },
    async queues(prefix) {
      const urls: string[] = [];
      const pages = paginateListQueues({ client: clients.sqs, pageSize: 1000 }, { QueueNamePrefix: prefix });
      for await (const { QueueUrls = [] } of pages) urls.push(...QueueUrls);
      const found = await Promise.all(urls.map((url) => queueState(clients.sqs, url)));
      return found.filter((queue) => queue !== undefined);
    },
    async subscribers(topic) {
      try {
        const found: { endpoint: string; isConfirmed: boolean }[] = [];
        const pages = paginateListSubscriptionsByTopic({ client: clients.sns }, { TopicArn: topic });
        for await (const { Subscriptions = [] } of pages)
          for (const { Endpoint = '', SubscriptionArn = '' } of Subscriptions)
            found.push({ endpoint: Endpoint, isConfirmed: SubscriptionArn.startsWith('arn:') });
        return found;
      } catch (error) {
        // To another account a topic that is not there looks like one that may not be seen.
        if (error instanceof NotFoundException || error instanceof AuthorizationErrorException) return 'absent';
        throw error;
      }
    },
    async logSubscriptions(logGroup) {
      const found: string[] = [];
      const pages = paginateDescribeSubscriptionFilters({ client: clients.logs }, { logGroupName: logGroup });
      for await (const { subscriptionFilters = [] } of pages)
        found.push(...subscriptionFilters.map(({ filterName = '' }) => filterName));
      return found;
    },
    async eventSources(functionName) {
      const found: { source: string; state: string }[] = [];
      const pages = paginateListEventSourceMappings({ client: clients.lambda }, { FunctionName: functionName });
      for await (const { EventSourceMappings = [] } of pages)
        for (const { EventSourceArn = '', State = '' } of EventSourceMappings)
          found.push({ source: EventSourceArn, state: State });
      return found;
    },
    async keyState(alias) {
      try {
        const { KeyMetadata } = await clients.kms.send(new DescribeKeyCommand({ KeyId: alias }));
        return KeyMetadata?.KeyState ?? 'unknown';
      } catch (error) {
        if (error instanceof NoKey) return 'absent';
        throw error;
      }
    },
  };
}

/** How many messages wait in a queue; nothing where it went while it was listed. */
async function queueState(client: SQSClient, url: string): Promise<QueueState | undefined> {
  try {
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['ApproximateNumberOfMessages'] }),
    );
    return { name: url.slice(url.lastIndexOf('/') + 1), messages: Number(Attributes?.['ApproximateNumberOfMessages']) };
  } catch (error) {
    if (error instanceof QueueDoesNotExist) return undefined;
    throw error;
  }
}
