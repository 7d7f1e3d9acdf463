// A local cloud with everything deployed, as the bench of the lifecycle sees it: what its people do, when executions were
// in which state, and what its functions and training jobs say that they took themselves.
import { type Environment, MACHINES } from '#domain/environment/environment.ts';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTrainingJobCommand, ListTrainingJobsCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { cloudOf } from '#cli/cloud.ts';
import { answerOf } from '#cli/control/api.ts';
import { call } from '#adapters/http-call.ts';
import { signIn } from '#cli/control/sign-in.ts';
import { describeExecution, type ExecutionView } from '#cli/executions.ts';
import type { DecisionInput } from '#domain/control/decision.ts';
import type { PromotionRequestBody } from '#domain/control/promotion-request-body.ts';
import { startLocalCloud, stopLocalCloud } from '#local/emulator/cloud.ts';
import { LAPTOP_PASSWORD, driverOf } from '#local/driver.ts';

import type { Machine } from '#ports/state-machines.ts';
import config from '../gatehouse.config.ts';

const CACHE = join(import.meta.dirname, '../.gatehouse/bench/landed');

/** A person who has signed in already. */
export interface SignedIn {
  ask(ask: Omit<PromotionRequestBody, 'requestId'>): Promise<{ readonly seq: number }>;
  decide(decision: Omit<DecisionInput, 'comment'>): Promise<void>;
}

/** Work that a function logged: the task, how long it took by its own clock, and when it was done. */
export interface LoggedTask {
  readonly task: string;
  readonly milliseconds: number;
  readonly at: number;
}

/** An environment that trains or serves. */
export type Spine = Exclude<Environment, 'control'>;

/** What was under way between two moments, with what its functions logged meanwhile. */
export type Execution = ExecutionView & { readonly environment: Spine; readonly machine: Machine };

/** Brings up a cloud of the bench's own; disposing of it leaves neither a process nor a file. */
export async function lifecycleCloud() {
  const home = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  const { account, region } = config.environments.control;
  const started = await startLocalCloud({
    home,
    controlAccount: account,
    region,
    persistent: false,
    owner: process.pid,
  });
  const driver = driverOf(started, config, { cache: CACHE, governance: 'test/governance' });
  const cloud = (environment: Environment) => cloudOf(config, environment, { home });
  const typed = async (...args: readonly string[]): Promise<unknown> => {
    const { code, data, notes } = await driver.gatehouse(args);
    if (code !== 0) throw new Error(`gatehouse ${args.join(' ')}: ${JSON.stringify(data)} ${notes.slice(-600)}`);
    return data;
  };
  return {
    driver,
    cloud,
    typed,
    /** Signs a person in; what they do afterwards is one call each. */
    async signedIn(username: string): Promise<SignedIn> {
      const control = cloud('control');
      const { ApiUrl: apiUrl = '', ClientId: clientId = '' } = await control.outputs('Control');
      const access = { apiUrl, clientId, region: control.names.region, endpoint: control.endpoint };
      const nothingToAsk = (): Promise<string> => Promise.reject(new Error(`${username} was asked for more`));
      const { session } = await signIn(access, username, LAPTOP_PASSWORD, nothingToAsk, new Date());
      const post = async (path: string, body: object): Promise<unknown> =>
        answerOf(
          await call(new URL(path, apiUrl), {
            method: 'POST',
            headers: { authorization: `Bearer ${session.idToken}`, 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
        );
      return {
        ask: async (ask) =>
          z.object({ seq: z.int() }).parse(await post('/promotions', { ...ask, requestId: randomUUID() })),
        decide: async (decision) => void (await post('/decisions', { ...decision, comment: 'the numbers hold' })),
      };
    },
    /** The executions of an environment's machine that began at a moment or later, oldest first. */
    async executions(environment: Spine, machine: Machine, since: number): Promise<readonly Execution[]> {
      const { sfn, names } = cloud(environment);
      const { executions = [] } = await sfn.send(
        new ListExecutionsCommand({ stateMachineArn: names.stateMachineArn(machine) }),
      );
      const begun = executions
        .filter(({ startDate }) => startDate !== undefined && startDate.getTime() >= since)
        .toSorted((a, b) => Number(a.startDate) - Number(b.startDate));
      const views = await Promise.all(
        begun.map(({ executionArn = '' }) => describeExecution(cloud(environment), executionArn, new Date())),
      );
      return views.map((view) => ({ ...view, environment, machine }));
    },
    /** Whether an execution is under way in an environment. */
    async isBusy(environment: Spine): Promise<boolean> {
      const { sfn, names } = cloud(environment);
      for (const machine of MACHINES[environment]) {
        const stateMachineArn = names.stateMachineArn(machine);
        const { executions = [] } = await sfn.send(
          new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }),
        );
        if (executions.length > 0) return true;
      }
      return false;
    },
    /** What the functions of an environment logged of their tasks since a moment. */
    async logged(environment: Spine, functions: readonly string[], since: number): Promise<readonly LoggedTask[]> {
      const { names, endpoint = '' } = cloud(environment);
      const found = functions.map((privilege) =>
        logEvents(endpoint, names.account, names.region, `/aws/lambda/${names.functionName(privilege)}`, since),
      );
      return (await Promise.all(found)).flat();
    },
    /** The training jobs that were made since a moment, as work of the state that waits for them. */
    async trained(since: number): Promise<readonly LoggedTask[]> {
      const { names } = cloud('dev');
      const credentials = { accessKeyId: names.account, secretAccessKey: 'test' };
      const client = new SageMakerClient({ region: names.region, endpoint: started.sagemakerEndpoint, credentials });
      const { TrainingJobSummaries: jobs = [] } = await client.send(
        new ListTrainingJobsCommand({ CreationTimeAfter: new Date(since), MaxResults: 100 }),
      );
      const described = await Promise.all(
        jobs.map(({ TrainingJobName }) => client.send(new DescribeTrainingJobCommand({ TrainingJobName }))),
      );
      return described.map(({ TrainingStartTime: start, TrainingEndTime: end }) => ({
        task: 'Train window',
        milliseconds: Number(end) - Number(start),
        at: Number(end),
      }));
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await stopLocalCloud(home);
      await rm(home, { recursive: true, force: true });
    },
  };
}

const Events = z.object({
  events: z.array(z.object({ message: z.string(), timestamp: z.number() })),
  nextToken: z.string().optional(),
});
const TaskLine = z.object({ task: z.string(), milliseconds: z.number() });

async function logEvents(
  endpoint: string,
  account: string,
  region: string,
  logGroupName: string,
  startTime: number,
): Promise<readonly LoggedTask[]> {
  const found: LoggedTask[] = [];
  let nextToken: string | undefined;
  do {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'Logs_20140328.FilterLogEvents',
        // The emulator reads the account from here and checks no signature.
        authorization: `AWS4-HMAC-SHA256 Credential=${account}/20010101/${region}/logs/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify({ logGroupName, startTime, ...(nextToken === undefined ? {} : { nextToken }) }),
    });
    const text = await response.text();
    // A function that was never called has no group.
    if (!response.ok && text.includes('ResourceNotFound')) return [];
    const page = Events.parse(JSON.parse(text));
    for (const { message, timestamp } of page.events) {
      const line = message.includes('"task') ? TaskLine.safeParse(jsonIn(message)) : undefined;
      if (line?.success === true) found.push({ ...line.data, at: timestamp });
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return found;
}

/** A line of the log as JSON; the runtime may put a time and an id before it. */
function jsonIn(message: string): unknown {
  try {
    return JSON.parse(message.slice(message.indexOf('{')));
  } catch {
    return undefined;
  }
}
