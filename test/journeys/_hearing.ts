import { paginateListSubscriptionsByTopic, UnsubscribeCommand } from '@aws-sdk/client-sns';
import type { Environment } from '#model/config.ts';
import type { Journey } from './_harness.ts';

/** Takes an environment's inbox off a peer's topic: whatever the peer announces is lost, until the reconciler subscribes anew. */
export async function deafen(journey: Journey, environment: Environment, peer: Environment): Promise<void> {
  const subscription = await subscriptionOf(journey, environment, peer);
  if (subscription === undefined) throw new Error(`${environment} does not hear ${peer}`);
  await journey
    .account(environment)
    .aws.sns()
    .send(new UnsubscribeCommand({ SubscriptionArn: subscription }));
  if (await hears(journey, environment, peer)) throw new Error(`${environment} still hears ${peer}`);
}

/** Whether an environment's inbox is subscribed to a peer's announcements. */
export async function hears(journey: Journey, environment: Environment, peer: Environment): Promise<boolean> {
  return (await subscriptionOf(journey, environment, peer)) !== undefined;
}

async function subscriptionOf(
  journey: Journey,
  environment: Environment,
  peer: Environment,
): Promise<string | undefined> {
  const client = journey.account(peer).aws.sns();
  const TopicArn = journey.account(peer).names.announcementsTopicArn;
  const inbox = journey.account(environment).names.inboxQueueArn;
  for await (const page of paginateListSubscriptionsByTopic({ client }, { TopicArn })) {
    const found = page.Subscriptions?.find(({ Endpoint }) => Endpoint === inbox);
    if (found !== undefined) return found.SubscriptionArn;
  }
  return undefined;
}
