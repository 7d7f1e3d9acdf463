import { MACHINES, peersOf, type Environment, ENVIRONMENTS } from '#domain/environment/environment.ts';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetQueueAttributesCommand, GetQueueUrlCommand, QueueAttributeName } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import type { AuditCode } from '#domain/audit/events.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';

import { ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { readAttestations } from '#read-model/attestations.ts';
import { readRecords } from '#read-model/chain.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readFence, readPredictions } from '#read-model/predictions.ts';
import { readLock, readPromotions } from '#read-model/promotions.ts';
import { eventually } from '../_helpers/cloud.ts';
import { type Journey, MODEL } from './_harness.ts';

/** The days of the story: the history that is landed, and the day at whose beginning the first run stands. */
export const FIRST = { from: '2026-01-01', asOf: '2026-01-27' } as const;

/** The day at whose beginning the second release is trained, on what was corrected and two days more. */
export const SECOND = '2026-01-29';

/** Days on which a source said nonsense of the usual frequency: what is trained on them is worth having, and could be better. */
export const SLIPPED = { kind: 'mixed-labels', first: '2026-01-06', last: '2026-01-09' } as const;

/** A release as people name one. */
export interface Release {
  readonly release: string;
  readonly version: string;
}

/** The records of a kind in an environment's chain, oldest first. */
export async function records(
  journey: Journey,
  environment: Environment,
  code?: AuditCode,
): Promise<readonly AuditRecord[]> {
  const chain = await readRecords(journey.account(environment).ledger, MODEL);
  return chain.map(({ record }) => record).filter((record) => code === undefined || record.code === code);
}

/** Waits for a record that an environment's chain must come to hold. */
export function recorded(
  journey: Journey,
  environment: Environment,
  code: AuditCode,
  fits: (record: AuditRecord) => boolean = () => true,
  seconds = 90,
): Promise<AuditRecord> {
  const look = async () => (await records(journey, environment, code)).find(fits);
  return eventually(`${code} in ${environment}`, look, seconds);
}

const Run = z.object({ run: z.string(), recorded: z.object({ status: z.string() }) });

/** Runs the retraining as of a day, and gives how it was concluded. */
export async function retrain(
  journey: Journey,
  asOf: string,
): Promise<{ readonly run: string; readonly status: string; readonly conclusion: AuditRecord }> {
  const { run, recorded: item } = await journey.concluded(Run, ['run', 'start', MODEL, '--as-of', asOf]);
  const ofRun = (await records(journey, 'dev')).filter((record) => record.details['run'] === run);
  const conclusion = ofRun.at(-1);
  if (conclusion === undefined) throw new Error(`${run} left no record`);
  return { run, status: item.status, conclusion };
}

/** Trains a candidate that is offered, and waits until staging serves it. */
export async function arriveInStaging(journey: Journey, asOf: string): Promise<Release> {
  const { status, conclusion } = await retrain(journey, asOf);
  if (status !== 'offered') throw new Error(`the run was ${status}: ${JSON.stringify(conclusion.details)}`);
  const release = { release: String(conclusion.release), version: detailsOf(conclusion, 'RELEASE_OFFERED').version };
  await serves(journey, 'staging', release);
  return release;
}

/** The release that dev has offered last. */
export async function offeredRelease(journey: Journey): Promise<Release> {
  const offer = (await records(journey, 'dev', 'RELEASE_OFFERED')).at(-1);
  if (offer === undefined) throw new Error('dev has offered nothing');
  return { release: String(offer.release), version: detailsOf(offer, 'RELEASE_OFFERED').version };
}

/** The release that an environment serves. */
export async function servedRelease(journey: Journey, environment: Environment): Promise<Release> {
  const pointer = await readPointer(journey.account(environment).ledger, MODEL);
  if (pointer === undefined) throw new Error(`${environment} serves nothing`);
  return { release: pointer.current, version: pointer.version };
}

/** Waits until an environment serves a release. */
export async function serves(journey: Journey, environment: Environment, { release }: Release): Promise<void> {
  const { ledger } = journey.account(environment);
  await eventually(`${environment} to serve ${release}`, async () => {
    const pointer = await readPointer(ledger, MODEL);
    return pointer?.current === release ? pointer : undefined;
  });
}

/** Has staging test a release, unless it was: what it attests has come to prod then. */
export async function tested(journey: Journey, { release }: Pick<Release, 'release'>): Promise<void> {
  const { ledger } = journey.account('prod');
  const subject = { kind: 'release', release: Digest.parse(release) } as const;
  const isKnown = async (): Promise<true | undefined> => {
    const found = await Promise.all(
      (['integration-tests', 'load', 'security-scan'] as const).map((gate) =>
        readAttestations(ledger, MODEL, gate, [subject]),
      ),
    );
    return found.every((each) => each.length > 0) ? true : undefined;
  };
  if ((await isKnown()) === true) return;
  await journey.run(z.unknown(), ['run', 'start', MODEL, '--machine', 'release-tests', '--env', 'staging']);
  await eventually(`prod to hear what is attested of ${release}`, isKnown);
}

const Asked = z.object({ promotion: z.string(), status: z.literal('awaiting-approval') });

/** Somebody asks for a release to be promoted to prod; answers when people are asked to decide. */
export async function askForProd(journey: Journey, { release, version }: Release, person = 'maya'): Promise<string> {
  await tested(journey, { release });
  const { promotion } = await journey.run(Asked, ['promote', `${MODEL}@${version}`, '--to', 'prod'], person);
  // Control has heard of it when it can be decided on.
  const { ledger } = journey.account('control');
  await eventually(`control to ask about ${promotion}`, () => ledger.get(keys.request(MODEL, promotion)));
  return promotion;
}

/** Somebody approves. */
export function approve(journey: Journey, promotion: string, person: string): Promise<unknown> {
  return journey.run(z.unknown(), ['approve', promotion, '--comment', 'the numbers hold'], person);
}

/** The whole way of a release from staging to prod, with both approvals. */
export async function letIntoProd(journey: Journey, release: Release): Promise<string> {
  const promotion = await askForProd(journey, release);
  for (const person of ['lena', 'paul']) await approve(journey, promotion, person);
  await serves(journey, 'prod', release);
  return promotion;
}

/** Waits until nothing is on its way any more: queues, executions, publications, batch runs, promotions. */
export async function settled(
  journey: Journey,
  environments: readonly Environment[] = ENVIRONMENTS,
  seconds = 90,
): Promise<void> {
  let busy = '';
  const look = async (): Promise<true | undefined> => {
    for (const environment of environments) {
      const found = await unsettled(journey, environment, environments);
      if (found !== undefined) {
        busy = `${environment}: ${found}`;
        return undefined;
      }
    }
    return true;
  };
  await eventually('everything to settle', look, seconds).catch((error: unknown) => {
    throw new Error(`not settled: ${busy}`, { cause: error });
  });
}

async function unsettled(
  journey: Journey,
  environment: Environment,
  among: readonly Environment[],
): Promise<string | undefined> {
  const { ledger, aws, names } = journey.account(environment);
  for (const queue of ['inbox', ...(environment === 'control' ? [] : ['admission'])]) {
    const { QueueUrl } = await aws.sqs().send(new GetQueueUrlCommand({ QueueName: names.name(queue) }));
    const { Attributes = {} } = await aws.sqs().send(
      new GetQueueAttributesCommand({
        QueueUrl,
        AttributeNames: [
          QueueAttributeName.ApproximateNumberOfMessages,
          QueueAttributeName.ApproximateNumberOfMessagesNotVisible,
        ],
      }),
    );
    if (Object.values(Attributes).some((count) => count !== '0')) return `messages in ${queue}`;
  }
  for (const machine of MACHINES[environment]) {
    // It waits until the request log is whole, minutes after a switch, and changes nothing but its record.
    if (machine === 'rollback-verification') continue;
    const stateMachineArn = names.stateMachineArn(machine);
    const { executions = [] } = await aws
      .sfn()
      .send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }));
    if (executions[0] !== undefined) return `${executions[0].name} runs`;
  }
  const head = Number((await ledger.get(keys.chainHead(MODEL)))?.['seq'] ?? -1);
  const published = Number((await ledger.get(keys.cursor('published', MODEL)))?.['seq'] ?? -1);
  if (published < head) return `published until ${published} of ${head}`;
  for (const peer of peersOf(environment).filter((each) => among.includes(each))) {
    const cursor = await ledger.get(keys.cursor(`peer-${peer}`, MODEL));
    const peerHead = await journey.account(peer).ledger.get(keys.chainHead(MODEL));
    if (cursor !== undefined && Number(cursor['seq']) < Number(peerHead?.['seq'] ?? -1))
      return `read until ${Number(cursor['seq'])} of ${peer}`;
  }
  const open = (await readPromotions(ledger, MODEL)).find(({ status }) => status === 'open');
  if (open !== undefined) return `${open.promotion} is open`;
  const pointer = environment === 'dev' || environment === 'control' ? undefined : await readPointer(ledger, MODEL);
  if (pointer === undefined) return undefined;
  const running = (await readFence(ledger, MODEL))?.running;
  if (running !== undefined && running !== null) return `${running} runs`;
  const predictions = await readPredictions(ledger, MODEL);
  const isCurrent = predictions.length > 0 && predictions.every(({ release }) => release === pointer.current);
  return isCurrent ? undefined : `${predictions.length} prediction partitions, not all of ${pointer.version}`;
}

/** Everything that a second delivery of anything must leave as it is. */
export async function stateOf(journey: Journey): Promise<object> {
  const state: Record<string, unknown> = {};
  for (const environment of ENVIRONMENTS) {
    const { ledger } = journey.account(environment);
    const isServing = environment === 'staging' || environment === 'prod';
    state[environment] = {
      records: (await records(journey, environment))
        // A batch run that found nothing to do says so; that is its report, and no change.
        .filter(({ code, details }) => code !== 'PREDICTIONS_PUBLISHED' || details['kind'] !== 'none')
        .map(({ code, details }) => ({ code, details })),
      pointer: await readPointer(ledger, MODEL),
      lock: await readLock(ledger, MODEL),
      promotions: await readPromotions(ledger, MODEL),
      partitions: isServing ? await ledger.query(keys.partitions(MODEL, 'events')) : [],
      predictions: isServing ? await readPredictions(ledger, MODEL) : [],
    };
  }
  return state;
}

/** What control's stack says under a name. */
export async function outputOf(journey: Journey, name: string): Promise<string> {
  const { Stacks = [] } = await journey.account('control').aws.cloudFormation().send(new DescribeStacksCommand({}));
  const output = Stacks.flatMap(({ Outputs = [] }) => Outputs).find(({ OutputKey }) => OutputKey === name);
  if (output?.OutputValue === undefined) throw new Error(`control has no output ${name}`);
  return output.OutputValue;
}
