import type { Environment } from '#domain/environment/environment.ts';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoLedger } from '#adapters/aws/ledger.ts';
import { landPartitions, type LandingProgress } from '#adapters/aws/partition-upload.ts';
import { cognitoUserPool } from '#adapters/aws/user-pool.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Role } from '#domain/policy/role.ts';
import { compileModel } from '#model/compile.ts';
import type { Config } from '#model/config.ts';
import { namesOf } from '#model/names.ts';
import type { Damage, Replay } from '#model/replay.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import type { LocalCloud } from './emulator/cloud.ts';
import { until as eventually } from './emulator/processes.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const COMPILED = join(REPOSITORY, '.gatehouse', 'compiled');

/** How a command of the `gatehouse` program ended. `data` is what it printed as JSON. */
export interface CommandResult {
  readonly code: number;
  readonly data: unknown;
  readonly notes: string;
}

/** The world around a deployed local cloud: the producers that land data, the people who decide, and the command line that they type. */
export interface Driver {
  /** Lands a model's history as an outside producer would, in an environment, between two days. */
  land(landing: Landing): Promise<void>;
  /** Adds a person who exists on this laptop only. */
  addPerson(username: string, roles: readonly Role[]): Promise<void>;
  /** Types a command; as a person, if one is named. */
  gatehouse(
    args: readonly string[],
    options?: { readonly person?: string; readonly onNote?: (text: string) => void },
  ): Promise<CommandResult>;
}

export interface Landing {
  readonly model: string;
  readonly environment: Exclude<Environment, 'control'>;
  readonly sample: number;
  readonly from?: string;
  /** The day at whose beginning the world stands: earlier days have happened. */
  readonly until: string;
  readonly damage?: Damage;
  readonly onProgress?: (progress: LandingProgress) => void;
}

/** The password of everybody who exists on this laptop only. */
export const LAPTOP_PASSWORD = 'Only-on-this-laptop-1';

/** What commands work on: folders with models, and the folder of the policy floor. */
export interface Sources {
  readonly folders: readonly string[];
  readonly governance: string;
}

/** The world around a local cloud whose stacks are deployed. */
export function driverOf(
  cloud: LocalCloud,
  config: Config,
  options: Partial<Sources> & { readonly cache?: string } = {},
): Driver {
  const sources = { folders: options.folders ?? ['models'], governance: options.governance ?? 'governance' };
  const { folders } = sources;
  const settings = (environment: Environment) => ({
    region: cloud.region,
    endpoint: cloud.endpoint,
    credentials: { accessKeyId: config.environments[environment].account, secretAccessKey: 'test' },
  });
  // What a producer has is the same for each environment that it lands in.
  const prepared = new Map<string, ReturnType<Replay['prepare']>>();
  return {
    async land({ model, environment, sample, from, until, damage, onProgress }) {
      const names = namesOf(config, environment);
      const folder = folders
        .map((root) => resolve(REPOSITORY, root, model))
        .find((path) => existsSync(join(path, 'replay.ts')));
      if (folder === undefined) throw new GatehouseError('NO_REPLAY', `${model} has no replay.ts`, { model });
      const { replay } = (await import(pathToFileURL(join(folder, 'replay.ts')).href)) as { replay: Replay };
      const cache = join(options.cache ?? join(cloud.home, 'replay'), model);
      const wanted = JSON.stringify([folder, sample, damage]);
      const preparing =
        prepared.get(wanted) ?? replay.prepare({ folder: cache, sample, ...(damage === undefined ? {} : { damage }) });
      prepared.set(wanted, preparing);
      const partitions = await preparing;
      const s3 = new S3Client({ ...settings(environment), forcePathStyle: true });
      const definition = await compileModel(folder);
      await landPartitions({
        s3,
        bucket: names.landingBucket,
        definition,
        partitions,
        until,
        ...(from === undefined ? {} : { from }),
        ...(onProgress === undefined ? {} : { onProgress }),
      });
      const tables = { ledger: names.ledgerTable, catalogue: names.catalogueTable };
      const catalogue = dynamoLedger(DynamoDBDocumentClient.from(new DynamoDBClient(settings(environment))), tables);
      const landed = partitions.filter(({ day }) => day >= (from ?? '') && day < until);
      const isAdmitted = async (): Promise<boolean> => {
        const admitted = await readCatalogue(catalogue, model);
        const hashes = new Set(
          admitted.flatMap(({ kind, day, objects }) => objects.map(({ sha256 }) => `${kind} ${day} ${sha256}`)),
        );
        return landed.every(({ kind, day, sha256 }) => hashes.has(`${kind} ${day} ${sha256}`));
      };
      if (!(await eventually(isAdmitted, 180_000, 300))) {
        throw new GatehouseError(
          'NOT_ADMITTED',
          `${environment} did not admit what was landed of ${model} until ${until}`,
          { environment, model },
        );
      }
    },
    async addPerson(username, roles) {
      const pool = await userPoolOf(
        new CloudFormationClient(settings('control')),
        namesOf(config, 'control').name('Control'),
      );
      const people = cognitoUserPool(new CognitoIdentityProviderClient(settings('control')), pool);
      await people.add(username, LAPTOP_PASSWORD);
      for (const role of roles) await people.giveRole(username, role);
    },
    async gatehouse(args, { person, onNote } = {}) {
      const run = (command: readonly string[]): Promise<CommandResult> =>
        runCommand(cloud, sources, command, person, onNote);
      if (person !== undefined) {
        const login = await run(['login']);
        if (login.code !== 0) return login;
      }
      return run(args);
    },
  };
}

/** What programs add to a command that they type. */
export const commonOptions = ({ folders, governance }: Sources): readonly string[] => [
  '-o',
  'json',
  '--yes',
  ...folders.flatMap((folder) => ['--models', folder]),
  '--governance',
  governance,
];

async function runCommand(
  cloud: LocalCloud,
  sources: Sources,
  args: readonly string[],
  person?: string,
  onNote?: (text: string) => void,
): Promise<CommandResult> {
  const child = spawn(process.execPath, [join(REPOSITORY, 'cli/main.ts'), ...args, ...commonOptions(sources)], {
    cwd: REPOSITORY,
    env: {
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: process.env['HOME'],
      GATEHOUSE_HOME: cloud.home,
      // Half of what a command costs is reading the program: Node keeps what it has compiled.
      NODE_COMPILE_CACHE: COMPILED,
      GATEHOUSE_PASSWORD: LAPTOP_PASSWORD,
      ...(person === undefined ? {} : { GATEHOUSE_USERNAME: person }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let notes = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    notes += chunk.toString();
    const last = chunk.toString().trim().split('\n').at(-1);
    if (last !== undefined && last !== '') onNote?.(last);
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 3));
  });
  return { code, data: output.trim() === '' ? undefined : JSON.parse(output), notes };
}

async function userPoolOf(client: CloudFormationClient, stack: string): Promise<string> {
  const { Stacks: stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack }));
  const output = stacks
    .flatMap(({ Outputs: outputs = [] }) => outputs)
    .find(({ OutputKey: key }) => key === 'UserPoolId');
  if (output?.OutputValue === undefined)
    throw new GatehouseError('NO_USER_POOL', 'control is not deployed; run gatehouse deploy control');
  return output.OutputValue;
}
