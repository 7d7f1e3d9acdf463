import { type Environment, ENVIRONMENTS } from '#domain/environment/environment.ts';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { dynamoLedger } from '#adapters/aws/ledger.ts';
import { main } from '#cli/program.ts';
import type { CommandResult, Landing, Driver } from '#local/driver.ts';
import { commonOptions, LAPTOP_PASSWORD, driverOf, type Sources } from '#local/driver.ts';
import { Refusal } from '#domain/refusal/refusal.ts';

import { type Names, namesOf } from '#model/names.ts';
import type { Ledger } from '#ports/ledger.ts';
import config from '../../gatehouse.config.ts';
import { clients, copiedCloud, eventually, type TestCloud } from '../_helpers/cloud.ts';
import { silentTerminal } from '../_helpers/terminal.ts';
import { type StoredCloud, storedCloud } from './_stored.ts';

/** The model that the journeys release: synthetic, and trained in two seconds. */
export const MODEL = 'card-fraud';

const SOURCES: Sources = { folders: ['test/models'], governance: 'test/governance' };

/** The environments in which releases are made and served. */
export const SPINE = ['dev', 'staging', 'prod'] as const;
export type SpineEnvironment = (typeof SPINE)[number];

/** One environment of a journey, as the people who own its account see it. */
export interface Account {
  readonly names: Names;
  readonly aws: ReturnType<typeof clients>;
  readonly ledger: Ledger;
}

/** A cloud of a journey's own with the synthesised stacks deployed, its people, and the command line. */
export interface Journey extends AsyncDisposable {
  readonly cloud: TestCloud;
  readonly driver: Driver;
  account(environment: Environment): Account;
  /** Types a command that must succeed, and reads what it printed. */
  run<T>(schema: z.ZodType<T>, args: readonly string[], person?: string): Promise<T>;
  /** Types a command that starts a run, and reads what it printed: one that is rejected, or held, is refused as well. */
  concluded<T>(schema: z.ZodType<T>, args: readonly string[]): Promise<T>;
  /** Types a command that a rule must refuse, and gives the refusal. */
  refused(args: readonly string[], person?: string): Promise<Refusal>;
  /** Lands the model's history in all environments that serve or train, or in some. */
  land(landing: Omit<Landing, 'model' | 'environment' | 'sample'>, where?: readonly SpineEnvironment[]): Promise<void>;
  /** Invokes a function as AWS would, and fails when it does. */
  invoke(environment: Environment, privilege: string, payload?: object): Promise<unknown>;
  /** Starts an execution; the same name and input again is the same execution. */
  start(environment: Environment, machine: string, name: string, input: object): Promise<string>;
  /** Waits until an execution has ended. */
  ended(environment: Environment, arn: string, seconds?: number): Promise<Ended>;
  /** Holds everything that exists against the invariants: what was violated, as `<environment> <invariant>: <finding>`. */
  fsck(): Promise<readonly string[]>;
}

export interface Ended {
  readonly status: string;
  readonly output: unknown;
}

const Refused = z.object({ error: z.object({ kind: z.literal('refused'), ...Refusal.shape }) });
const Fsck = z.object({
  checks: z.array(z.object({ environment: z.string(), invariant: z.string(), found: z.array(z.string()) })),
});

/** Who works with the model: maya asks, lena and paul decide, and rita beside them on a hotfix. */
const PEOPLE = { maya: ['ml-engineer'], lena: ['ml-lead'], paul: ['platform'], rita: ['risk'] } as const;

/** Opens a journey in a copy of a stored cloud. */
export async function openJourney(
  from: StoredCloud,
  options: {
    readonly folders?: readonly string[];
    /** The folder of the policy floor, where it is not the one without canaries. */
    readonly governance?: string;
    /** Factor on the machines' waits and retries, where a journey is about little else. */
    readonly waitScale?: number;
    /** How much faster than the clock alarms see time. */
    readonly timeScale?: number;
  } = {},
): Promise<Journey> {
  const { folders = SOURCES.folders, governance = SOURCES.governance, ...own } = options;
  const cloud = await copiedCloud(await storedCloud(from), own);
  return journeyIn(cloud, { folders, governance });
}

/** Adds the people to a cloud whose stacks are deployed. */
export async function addPeople({ driver }: Pick<Journey, 'driver'>): Promise<void> {
  for (const [person, roles] of Object.entries(PEOPLE)) await driver.addPerson(person, roles);
}

/** A journey in a running cloud. */
export function journeyIn(cloud: TestCloud, sources: Sources = SOURCES): Journey {
  const driver = driverOf(cloud, config, sources);
  const accounts = new Map(ENVIRONMENTS.map((environment) => [environment, accountOf(cloud, environment)]));
  const account = (environment: Environment): Account => accounts.get(environment) ?? accountOf(cloud, environment);
  const type = async (args: readonly string[], person?: string): Promise<CommandResult> => {
    // Synthesising would keep the tests of other workers waiting.
    if (args[0] === 'deploy') return driver.gatehouse(args);
    const login = person === undefined ? undefined : await typed(cloud, sources, ['login'], person);
    // Signing in is all that was typed, or did not work.
    return login !== undefined && (args[0] === 'login' || login.code !== 0) ? login : typed(cloud, sources, args);
  };
  return {
    cloud,
    driver,
    account,
    async run(schema, args, person) {
      const result = await type(args, person);
      if (result.code !== 0) throw new Error(`gatehouse ${args.join(' ')} ended with ${result.code}: ${said(result)}`);
      return schema.parse(result.data);
    },
    async concluded(schema, args) {
      const result = await type(args);
      if (result.code > 1) throw new Error(`gatehouse ${args.join(' ')} ended with ${result.code}: ${said(result)}`);
      return schema.parse(result.data);
    },
    async refused(args, person) {
      const result = await type(args, person);
      if (result.code !== 1) throw new Error(`gatehouse ${args.join(' ')} ended with ${result.code}: ${said(result)}`);
      const { rule, found, remedy } = Refused.parse(result.data).error;
      return { rule, found, remedy };
    },
    async land(landing, where = SPINE) {
      for (const environment of where) await driver.land({ model: MODEL, environment, sample: 1, ...landing });
    },
    async invoke(environment, privilege, payload = {}) {
      const { aws, names } = account(environment);
      const answer = await aws
        .lambda()
        .send(new InvokeCommand({ FunctionName: names.functionName(privilege), Payload: JSON.stringify(payload) }));
      const text = Buffer.from(answer.Payload ?? []).toString();
      if (answer.FunctionError !== undefined) throw new Error(`${environment} ${privilege}: ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    async start(environment, machine, name, input) {
      const { aws, names } = account(environment);
      const stateMachineArn = names.stateMachineArn(machine);
      const started = await aws
        .sfn()
        .send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
      return started.executionArn ?? '';
    },
    ended(environment, executionArn, seconds = 90) {
      const { aws } = account(environment);
      return eventually(
        `the end of ${executionArn}`,
        async () => {
          const { status, output } = await aws.sfn().send(new DescribeExecutionCommand({ executionArn }));
          if (status === 'RUNNING') return undefined;
          return { status: status ?? 'UNKNOWN', output: output === undefined ? undefined : JSON.parse(output) };
        },
        seconds,
      );
    },
    async fsck() {
      const result = await type(['fsck']);
      if (result.code > 1) throw new Error(`fsck could not look: ${said(result)}`);
      const { checks } = Fsck.parse(result.data);
      return checks.flatMap(({ environment, invariant, found }) =>
        found.map((line) => `${environment} ${invariant}: ${line}`),
      );
    },
    [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
  };
}

/** Types a command without starting the program. */
async function typed(
  cloud: TestCloud,
  sources: Sources,
  args: readonly string[],
  person?: string,
): Promise<CommandResult> {
  const terminal = silentTerminal({
    GATEHOUSE_HOME: cloud.home,
    GATEHOUSE_PASSWORD: LAPTOP_PASSWORD,
    ...(person === undefined ? {} : { GATEHOUSE_USERNAME: person }),
  });
  const code = await main([...args, ...commonOptions(sources)], terminal);
  const { out, err } = terminal.shown;
  return { code, data: out.trim() === '' ? undefined : JSON.parse(out), notes: err };
}

function accountOf(cloud: TestCloud, environment: Environment): Account {
  const names = namesOf(config, environment);
  const aws = clients(cloud, names.account);
  const tables = { ledger: names.ledgerTable, catalogue: names.catalogueTable };
  return { names, aws, ledger: dynamoLedger(DynamoDBDocumentClient.from(aws.dynamodb()), tables) };
}

function said({ data, notes }: CommandResult): string {
  return `${JSON.stringify(data)} ${notes.slice(-800)}`;
}
