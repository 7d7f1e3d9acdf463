import { type Environment, ENVIRONMENTS } from '#domain/environment/environment.ts';
import { DisableRuleCommand, EnableRuleCommand } from '@aws-sdk/client-eventbridge';
import {
  GetEventSourceMappingCommand,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { paginateListSubscriptionsByTopic, UnsubscribeCommand } from '@aws-sdk/client-sns';
import { z } from 'zod';

import { eventually } from '../_helpers/cloud.ts';
import type { Journey } from './_harness.ts';

const Schedules = z.object({ Schedules: z.array(z.object({ Name: z.string() })) });

/**
 * Takes reconcilers, data checks, probes and supervisors off their clock, which is that of the wall: in any copy older than some minutes they
 * would all start, mend what a journey loses, and look at what it lands. Journeys start them where they mean to.
 */
export async function stopClock(journey: Journey): Promise<void> {
  const { endpoint, region } = journey.cloud;
  for (const environment of ENVIRONMENTS) {
    const { names } = journey.account(environment);
    const ask = async (path: string, method: string): Promise<string> => {
      // The emulator asks for no signature, but for the account and the service that one names.
      const authorization = `AWS4-HMAC-SHA256 Credential=${names.account}/20260101/${region}/scheduler/aws4_request, SignedHeaders=host, Signature=0`;
      const answer = await fetch(new URL(path, endpoint), { method, headers: { authorization } });
      if (!answer.ok) throw new Error(`${method} ${path} in ${environment}: ${answer.status}`);
      return answer.text();
    };
    const { Schedules: all } = Schedules.parse(JSON.parse(await ask('/schedules', 'GET')));
    const clocked = ['reconcile', 'probes', 'alarms-supervised', 'supervise', 'tend-incidents', 'integrity'].map(
      (name) => names.name(name),
    );
    const stopped = all.filter(({ Name }) => clocked.includes(Name) || Name.startsWith(names.name('check-')));
    if (!stopped.some(({ Name }) => Name === names.name('reconcile')))
      throw new Error(`${environment} has no schedule of its reconciler`);
    for (const { Name } of stopped) await ask(`/schedules/${Name}`, 'DELETE');
    if (environment === 'staging' || environment === 'prod') await verifiesRollbacks(journey, environment, false);
    if (environment === 'staging') await testsReleases(journey, false);
  }
}

/**
 * Lets rollbacks be verified, or not: a verification looks at the request log until that is whole, four minutes of the wall's clock, and
 * a journey's waits are shorter than that.
 */
export async function verifiesRollbacks(
  journey: Journey,
  environment: 'staging' | 'prod',
  isVerifying = true,
): Promise<void> {
  const { aws, names } = journey.account(environment);
  const rule = { Name: names.name('rolled-back'), EventBusName: names.bus };
  await aws.events().send(isVerifying ? new EnableRuleCommand(rule) : new DisableRuleCommand(rule));
}

/** Lets staging test each release that it promotes, or not: a journey tests those that are to come to prod. */
export async function testsReleases(journey: Journey, isTesting = true): Promise<void> {
  const { aws, names } = journey.account('staging');
  const rule = { Name: names.name('release-promoted'), EventBusName: names.bus };
  await aws.events().send(isTesting ? new EnableRuleCommand(rule) : new DisableRuleCommand(rule));
}

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

/** Stops the ledger's stream from reaching the publisher, or lets it through again. */
export async function silence(journey: Journey, environment: Environment, isSilent = true): Promise<void> {
  const { aws, names } = journey.account(environment);
  const FunctionName = names.functionName('publisher');
  const { EventSourceMappings: [mapping] = [] } = await aws
    .lambda()
    .send(new ListEventSourceMappingsCommand({ FunctionName }));
  const UUID = mapping?.UUID;
  await aws.lambda().send(new UpdateEventSourceMappingCommand({ UUID, Enabled: !isSilent }));
  await eventually('the stream to be switched', async () => {
    const { State } = await aws.lambda().send(new GetEventSourceMappingCommand({ UUID }));
    return State === (isSilent ? 'Disabled' : 'Enabled') ? State : undefined;
  });
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
