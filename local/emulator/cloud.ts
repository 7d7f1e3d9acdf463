import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { GatehouseError } from '#domain/error.ts';
import { choosePorts, endpointOf } from './ports.ts';
import { endGroup, endOrphans, isOurs } from './processes.ts';
import { PROGRAMS, startServices } from './start.ts';
import {
  clearState,
  exclusively,
  lastSave,
  readState,
  SERVICES,
  type LocalState,
  type Ports,
  type ServiceName,
} from './state.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
// What takes longer to end waits for a request that never comes: it is told to save its state and to end at once.
const STOP_GRACE_MS = 10_000;
// Fifty megabytes of state are written in a second or two.
const SAVE_DEADLINE_MS = 120_000;

/** How a local cloud is started. */
export interface LocalCloudOptions {
  /** The folder of its state; default `GATEHOUSE_HOME`, else `.gatehouse` in the repository. */
  readonly home?: string;
  /** The account that unsigned HTTP (the approvals API) reaches. */
  readonly controlAccount: string;
  readonly region?: string;
  /** Whether resources and objects survive a stop; off for tests. */
  readonly persistent?: boolean;
  /** Fixed ports; default `GATEHOUSE_PORT`, `GATEHOUSE_SAGEMAKER_PORT` and `GATEHOUSE_CLOUDWATCH_PORT`, else those of the last start. */
  readonly ports?: Partial<Ports>;
  /** Factor on the state machines' Wait states and retry intervals. */
  readonly waitScale?: number;
  /** How much faster than the clock alarms and metrics see time; default `GATEHOUSE_LOCAL_TIME_SCALE`, else 1. */
  readonly timeScale?: number;
  /** A process whose end ends the cloud too, so that a killed test leaves nothing behind. */
  readonly owner?: number;
}

/** A running local cloud. */
export interface LocalCloud {
  readonly home: string;
  readonly endpoint: string;
  readonly sagemakerEndpoint: string;
  readonly cloudwatchEndpoint: string;
  readonly region: string;
  readonly controlAccount: string;
  readonly startedAt: string;
  /** What a process needs to reach it, but for `AWS_ACCESS_KEY_ID`, which is the 12-digit account. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What runs under a home: nothing, everything, or a part of it (one of its processes crashed). */
export type LocalCloudStatus =
  | { readonly state: 'stopped' }
  | { readonly state: 'running'; readonly cloud: LocalCloud }
  | {
      readonly state: 'broken';
      readonly dead: readonly ServiceName[];
      readonly logs: readonly string[];
    };

/** The home that is meant where none is named. */
export function homeIn(env: Readonly<Record<string, string | undefined>>): string {
  return env['GATEHOUSE_HOME'] ?? join(REPOSITORY, '.gatehouse');
}

const defaultHome = (): string => homeIn(process.env);

/** Says what runs under a home, by its processes and not by its files. */
export function localCloudStatus(home: string = defaultHome()): LocalCloudStatus {
  const state = readState(home);
  if (state === undefined) return { state: 'stopped' };
  const dead = SERVICES.filter((name) => !runs(state, name));
  if (dead.length === 0) return { state: 'running', cloud: describe(state) };
  if (dead.length === SERVICES.length) return { state: 'stopped' };
  return { state: 'broken', dead, logs: dead.flatMap((name) => state[name]?.log ?? []) };
}

/** Starts the local cloud of a home and waits until it answers; if it runs already, returns the running one. */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const home = options.home ?? defaultHome();
  return exclusively(home, async () => {
    const status = localCloudStatus(home);
    if (status.state === 'running') return status.cloud;
    // What is left of a crashed one holds its ports.
    await endAll(home);
    const ports = await choosePorts(home, options.ports);
    const state = await startServices({ ...options, home: realpathSync(home) }, ports);
    return describe(state);
  });
}

/**
 * Stops the local cloud of a home, with every process that it started; says whether one ran. A fault where its state was not
 * saved. Without `saving`, for clouds that nobody starts again, nothing is saved.
 */
export async function stopLocalCloud(home: string = defaultHome(), { saving = true } = {}): Promise<boolean> {
  if (!existsSync(home)) return false;
  return exclusively(home, async () => {
    const [state, since] = [readState(home), Date.now()];
    const ran = await endAll(home, saving);
    if (ran && saving && state?.persistent === true) requireSaved(home, since);
    return ran;
  });
}

/** Whether the emulator, which ended, has saved its state since a time. */
function requireSaved(home: string, since: number): void {
  const savedAt = lastSave(home);
  if (savedAt !== undefined && savedAt >= since) return;
  throw new GatehouseError(
    'LOCAL_STATE_NOT_SAVED',
    `the local cloud has ended without saving its state (${join(home, 'logs', 'emulator.log')} may say why); what the next start finds is ${
      savedAt === undefined ? 'nothing' : `of ${new Date(savedAt).toISOString()}`
    }`,
    { home },
  );
}

async function endAll(home: string, saving = true): Promise<boolean> {
  const state = readState(home);
  if (state === undefined) return false;
  const running = SERVICES.filter((name) => runs(state, name));
  const end = (name: ServiceName): Promise<void> | undefined => {
    const pid = state[name]?.pid;
    if (pid === undefined || !running.includes(name)) return undefined;
    const savesInTheEnd = saving && state.persistent && name === 'emulator';
    return endGroup(
      pid,
      saving ? STOP_GRACE_MS : 0,
      savesInTheEnd ? { signal: 'SIGUSR1', graceMs: SAVE_DEADLINE_MS } : undefined,
    );
  };
  await Promise.all([end('emulator'), end('sagemaker')]);
  // The emulator sends what it has recorded until it ends.
  await end('cloudwatch');
  for (const name of SERVICES) if (state[name] !== undefined) endOrphans(state[name].pid);
  clearState(home);
  return running.length > 0;
}

function runs(state: LocalState, name: ServiceName): boolean {
  const service = state[name];
  return service !== undefined && isOurs(service.pid, [PROGRAMS[name], state.home]);
}

function describe(state: LocalState): LocalCloud {
  const endpoint = endpointOf(state.emulator.port);
  const sagemakerEndpoint = endpointOf(state.sagemaker.port);
  const cloudwatchEndpoint = endpointOf(state.cloudwatch?.port ?? 0);
  return {
    home: state.home,
    endpoint,
    sagemakerEndpoint,
    cloudwatchEndpoint,
    region: state.region,
    controlAccount: state.controlAccount,
    startedAt: state.startedAt,
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ENDPOINT_URL_SAGEMAKER: sagemakerEndpoint,
      AWS_ENDPOINT_URL_CLOUDWATCH: cloudwatchEndpoint,
      AWS_REGION: state.region,
      AWS_DEFAULT_REGION: state.region,
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
      GATEHOUSE_HOME: state.home,
    },
  };
}
