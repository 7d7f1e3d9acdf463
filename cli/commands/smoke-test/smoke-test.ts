import { type Environment, ENVIRONMENTS, MACHINES, peersOf } from '#domain/environment/environment.ts';
import { ListSubscriptionsByTopicCommand } from '@aws-sdk/client-sns';
import { DescribeStateMachineCommand } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { refusalText } from '#domain/refusal/refusal.ts';
import { GatehouseError } from '#domain/error.ts';
import { endpointOutput } from '#domain/model/deployed.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';

import { namesOf } from '#model/names.ts';
import { readDocument } from '#ports/documents.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import { readLock } from '#read-model/promotions.ts';
import { type Cloud, isMissing } from '../../cloud.ts';
import type { Context, Run } from '../../context.ts';
import { RefusedError, refuse } from '../../refusal.ts';
import { modelNames } from '../../references.ts';
import type { Report } from '../../report.ts';
import { Answered } from '../endpoint/protocol.ts';
import { callEndpoint, endpointUrl } from '../endpoint/read.ts';
import { predictionLevel } from '../prediction/level.ts';
import { daysText } from '../status/refusals.ts';

/** One look at one thing; `found` is undefined when it is as it should be. */
export interface SmokeCheck {
  readonly environment: Environment;
  readonly check: string;
  readonly found: string | undefined;
}

export const run: Run = async (context) => {
  const environments = context.isEnvironmentNamed ? [context.environment(ENVIRONMENTS)] : ENVIRONMENTS;
  const models = await modelNames(context);
  const checks = (await Promise.all(environments.map((environment) => smokeTest(context, environment, models)))).flat();
  context.print(smokeReport(checks));
  const failed = checks.filter(({ found }) => found !== undefined);
  const [first] = failed;
  if (first !== undefined)
    refuse(
      'smoke-test',
      `${failed.length} of ${checks.length} checks failed; first: ${first.environment} ${first.check}: ${first.found}`,
      `look again in a few minutes, or deploy again: gatehouse deploy ${first.environment}`,
    );
};

async function smokeTest(
  context: Context,
  environment: Environment,
  models: readonly string[],
): Promise<readonly SmokeCheck[]> {
  const cloud = context.cloud(environment);
  const checks: SmokeCheck[] = [];
  const inspect = async (check: string, read: () => Promise<string | undefined>): Promise<void> => {
    checks.push({ environment, check, found: await problemOf(read) });
  };
  await inspect('ledger answers', () => readLock(cloud.ledger, 'none').then(nothing));
  if (checks[0]?.found !== undefined) return checks;
  for (const machine of MACHINES[environment]) {
    await inspect(`machine ${machine}`, () =>
      cloud.sfn
        .send(new DescribeStateMachineCommand({ stateMachineArn: cloud.names.stateMachineArn(machine) }))
        .then(nothing),
    );
  }
  for (const peer of peersOf(environment)) await inspect(`inbox hears ${peer}`, () => inboxHears(context, cloud, peer));
  if (environment === 'control') await inspect('people can sign in', () => signInThere(cloud));
  else {
    let outputs: Readonly<Record<string, string>> = {};
    // Nothing is served in dev.
    if (environment !== 'dev')
      await inspect('inference stack says its endpoints', async () => {
        outputs = await cloud.outputs('Inference');
        return undefined;
      });
    for (const model of models) {
      await inspect(`pointer of ${model}`, () => pointerResolves(cloud, model));
      await inspect(`data of ${model} admitted`, () => whyRefused(cloud, model));
      await inspect(`predictions of ${model} on time`, () => whyOverdue(cloud, model, context.now()));
      if (endpointOutput(model) in outputs) await inspect(`endpoint of ${model}`, () => whyNotAnswered(cloud, model));
    }
  }
  return checks;
}

const nothing = (): undefined => undefined;

async function problemOf(read: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal.found;
    if (isMissing(error)) return 'is not there';
    if (error instanceof GatehouseError) return error.message;
    throw error;
  }
}

async function signInThere(cloud: Cloud): Promise<string | undefined> {
  const { ApiUrl, ClientId } = await cloud.outputs('Control');
  return ApiUrl === undefined || ClientId === undefined ? 'the control stack names no API' : undefined;
}

/** The subscription stands in the peer's account; the queue is this one's. */
async function inboxHears(context: Context, { sqs, names }: Cloud, peer: Environment): Promise<string | undefined> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: names.name('inbox') }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  if (Attributes?.QueueArn !== names.inboxQueueArn) return `the inbox is ${Attributes?.QueueArn ?? 'nameless'}`;
  const topic = namesOf(context.config, peer).announcementsTopicArn;
  const { Subscriptions } = await context
    .cloud(peer)
    .sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: topic }));
  const isSubscribed = Subscriptions?.some(({ Endpoint }) => Endpoint === names.inboxQueueArn) === true;
  return isSubscribed ? undefined : `not subscribed to ${topic}; the reconciler does it within minutes`;
}

async function pointerResolves({ ledger, releases: store }: Cloud, model: string): Promise<string | undefined> {
  const pointer = await readPointer(ledger, model);
  if (pointer === undefined) return undefined;
  const manifest = await readDocument(store, ReleaseManifest, pointer.current);
  for (const file of manifest.files) await store.read(file.sha256);
  return manifest.model === model ? undefined : `names a release of ${manifest.model}`;
}

/** The refusals that stand against a model's days, in one line. */
export async function whyRefused({ environment, ledger }: Cloud, model: string): Promise<string | undefined> {
  const refusals = await readOpenRefusals(ledger, model);
  const [first] = refusals;
  if (first === undefined) return undefined;
  return `${refusals.length} refused; first: ${first.kind} of ${first.day}: ${refusalText(first)}; see: gatehouse status ${model} (${environment})`;
}

/** The days that have no predictions within the hours of the service level, in one line. */
export async function whyOverdue(cloud: Cloud, model: string, now: Date): Promise<string | undefined> {
  if ((await readPointer(cloud.ledger, model)) === undefined) return undefined;
  const { hours, overdue } = (await predictionLevel(cloud, model, now)).level;
  const [first] = overdue;
  if (first === undefined) return undefined;
  return `${daysText(overdue.map(({ day }) => day))} overdue (within ${hours} h of arrival); first: ${first.cause}`;
}

/** Why a model's endpoint does not answer the golden request of the release that the pointer names as that release promised. */
export async function whyNotAnswered(cloud: Cloud, model: string): Promise<string | undefined> {
  if ((await readPointer(cloud.ledger, model)) === undefined) return undefined;
  const url = new URL(`/v2/models/${model}/infer`, await endpointUrl(cloud, model));
  const { parameters } = await callEndpoint(cloud, Answered, url, { parameters: { golden: true }, inputs: [] });
  const pointer = await readPointer(cloud.ledger, model);
  if (parameters['digest'] !== pointer?.current)
    return `answers by ${String(parameters['digest'])}, the pointer names ${pointer?.current}`;
  return parameters['golden_matches'] === true ? undefined : 'its golden request is answered otherwise than promised';
}

/** The checks as a table. */
export function smokeReport(checks: readonly SmokeCheck[]): Report {
  return {
    data: {
      isSound: checks.every(({ found }) => found === undefined),
      checks: checks.map((check) => ({ ...check, found: check.found ?? null })),
    },
    sections: [
      {
        columns: ['environment', 'check', 'result'],
        rows: checks.map(({ environment, check, found }) => [environment, check, found ?? 'ok']),
      },
    ],
  };
}
