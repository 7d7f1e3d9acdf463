import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { GatehouseError } from '#domain/error.ts';
import {
  awaitHealth,
  endGroup,
  endOrphans,
  freePort,
  isOurs,
  probePort,
  startService,
  type Started,
} from './processes.ts';
import {
  clearState,
  exclusively,
  lastSave,
  readState,
  rememberedPorts,
  writeState,
  type LocalState,
  type Ports,
} from './state.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const EMULATOR = join(REPOSITORY, 'local', 'emulator', 'emulator.py');
const SAGEMAKER = join(REPOSITORY, 'local', 'sagemaker', 'main.ts');
// The emulator is there in under a second; a cold disk or a loaded machine may take its time.
const START_DEADLINE_MS = 60_000;
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
  /** Fixed ports; default `GATEHOUSE_PORT` and `GATEHOUSE_SAGEMAKER_PORT`, else those of the last start, else free ones. */
  readonly ports?: Partial<Ports>;
  /** Factor on the state machines' Wait states and retry intervals. */
  readonly waitScale?: number;
  /** A process whose end ends the cloud too, so that a killed test leaves nothing behind. */
  readonly owner?: number;
}

/** A running local cloud. */
export interface LocalCloud {
  readonly home: string;
  readonly endpoint: string;
  readonly sagemakerEndpoint: string;
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
      readonly dead: readonly ('emulator' | 'sagemaker')[];
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
  const dead = (['emulator', 'sagemaker'] as const).filter((name) => !runs(state, name));
  if (dead.length === 0) return { state: 'running', cloud: describe(state) };
  if (dead.length === 2) return { state: 'stopped' };
  return { state: 'broken', dead, logs: dead.map((name) => state[name].log) };
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
    const state = await startBoth({ ...options, home: realpathSync(home) }, ports);
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

async function startBoth(options: LocalCloudOptions & { readonly home: string }, ports: Ports): Promise<LocalState> {
  const { home } = options;
  const region = options.region ?? 'us-east-1';
  const persistent = options.persistent ?? true;
  const owner = options.owner === undefined ? [] : [String(options.owner)];
  const sagemakerEndpoint = endpointOf(ports.sagemaker);
  const started: Started[] = [];
  try {
    const python = requirePython();
    const sagemaker = await startService(
      'the SageMaker subset',
      [process.execPath, SAGEMAKER, home, String(ports.sagemaker), endpointOf(ports.emulator), region, ...owner],
      baseEnvironment(join(home, 'sagemaker')),
      join(home, 'logs', 'sagemaker.log'),
      home,
    );
    started.push(sagemaker);
    const emulator = await startService(
      'the emulator',
      [python, EMULATOR, home, ...owner],
      {
        ...baseEnvironment(join(home, 'emulator')),
        BIND_HOST: '127.0.0.1',
        GATEWAY_PORT: String(ports.emulator),
        IOT_MTLS_ENABLED: '0',
        SFTP_ENABLED: '0',
        LOG_LEVEL: 'WARNING',
        MINISTACK_REGION: region,
        MINISTACK_ACCOUNT_ID: options.controlAccount,
        // Some eighty functions would keep a process each for five minutes; a start is quicker than memory is cheap.
        LAMBDA_WARM_TTL_SECONDS: '30',
        SFN_WAIT_SCALE: String(options.waitScale ?? 1),
        // Lambdas inherit this; AWS_ENDPOINT_URL the emulator sets for them by itself.
        AWS_ENDPOINT_URL_SAGEMAKER: sagemakerEndpoint,
        ...(persistent && {
          PERSIST_STATE: '1',
          S3_PERSIST: '1',
          STATE_DIR: join(home, 'emulator', 'state'),
          S3_DATA_DIR: join(home, 'emulator', 's3'),
        }),
      },
      join(home, 'logs', 'emulator.log'),
      home,
    );
    started.push(emulator);
    await awaitHealth(sagemaker, `${sagemakerEndpoint}/health`, START_DEADLINE_MS);
    await awaitHealth(emulator, `${endpointOf(ports.emulator)}/_ministack/ready`, START_DEADLINE_MS);
    const state: LocalState = {
      formatVersion: 1,
      home,
      region,
      controlAccount: options.controlAccount,
      persistent,
      startedAt: new Date().toISOString(),
      emulator: { pid: emulator.pid, port: ports.emulator, log: emulator.log },
      sagemaker: { pid: sagemaker.pid, port: ports.sagemaker, log: sagemaker.log },
    };
    writeState(state);
    return state;
  } catch (error) {
    await Promise.all(started.map(({ pid }) => endGroup(pid, 0)));
    throw error;
  }
}

// Lambdas and training jobs inherit from these processes: nothing of the user's own environment may leak into them.
function baseEnvironment(folder: string): Record<string, string> {
  const temporary = join(folder, 'tmp');
  // What a previous run unpacked here; nothing runs now.
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  // The emulator's Lambda workers are CommonJS files in this folder; a package.json above it may say "module".
  writeFileSync(join(temporary, 'package.json'), '{"type":"commonjs"}\n');
  const path = [dirname(process.execPath), join(REPOSITORY, '.venv', 'bin'), '/usr/local/bin', '/usr/bin', '/bin'];
  return { PATH: path.join(delimiter), HOME: folder, TMPDIR: temporary, LANG: 'C.UTF-8', TZ: 'UTC' };
}

function requirePython(): string {
  const python = join(REPOSITORY, '.venv', 'bin', 'python');
  if (existsSync(python)) return python;
  throw new GatehouseError('LOCAL_PYTHON_MISSING', `there is no Python environment at ${python}; run "npm run setup"`, {
    python,
  });
}

async function endAll(home: string, saving = true): Promise<boolean> {
  const state = readState(home);
  if (state === undefined) return false;
  const running = (['emulator', 'sagemaker'] as const).filter((name) => runs(state, name));
  await Promise.all(
    running.map((name) =>
      endGroup(
        state[name].pid,
        saving ? STOP_GRACE_MS : 0,
        saving && state.persistent && name === 'emulator'
          ? { signal: 'SIGUSR1', graceMs: SAVE_DEADLINE_MS }
          : undefined,
      ),
    ),
  );
  for (const name of ['emulator', 'sagemaker'] as const) endOrphans(state[name].pid);
  clearState(home);
  return running.length > 0;
}

const runs = (state: LocalState, name: 'emulator' | 'sagemaker'): boolean =>
  isOurs(state[name].pid, [name === 'emulator' ? EMULATOR : SAGEMAKER, state.home]);

async function choosePorts(home: string, wanted: Partial<Ports> = {}): Promise<Ports> {
  const remembered = rememberedPorts(home);
  return {
    emulator: await choosePort('GATEHOUSE_PORT', wanted.emulator, remembered?.emulator),
    sagemaker: await choosePort('GATEHOUSE_SAGEMAKER_PORT', wanted.sagemaker, remembered?.sagemaker),
  };
}

async function choosePort(
  variable: string,
  wanted: number | undefined,
  remembered: number | undefined,
): Promise<number> {
  const named = process.env[variable];
  const fixed = wanted ?? (named === undefined ? undefined : Number(named));
  if (fixed !== undefined) {
    if (Number.isInteger(fixed) && fixed > 0 && fixed < 65_536 && (await probePort(fixed)) !== undefined) return fixed;
    throw new GatehouseError(
      'LOCAL_PORT_UNUSABLE',
      `port ${named ?? fixed} is in use or no port; end the program that listens there, or set ${variable} to another port, or unset it for a free one`,
      { port: fixed, variable },
    );
  }
  const free = (remembered === undefined ? undefined : await probePort(remembered)) ?? (await freePort());
  if (free === undefined) throw new GatehouseError('LOCAL_PORT_UNUSABLE', 'no port of 127.0.0.1 can be listened on');
  return free;
}

const endpointOf = (port: number): string => `http://127.0.0.1:${port}`;

function describe(state: LocalState): LocalCloud {
  const endpoint = endpointOf(state.emulator.port);
  const sagemakerEndpoint = endpointOf(state.sagemaker.port);
  return {
    home: state.home,
    endpoint,
    sagemakerEndpoint,
    region: state.region,
    controlAccount: state.controlAccount,
    startedAt: state.startedAt,
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ENDPOINT_URL_SAGEMAKER: sagemakerEndpoint,
      AWS_REGION: state.region,
      AWS_DEFAULT_REGION: state.region,
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
      GATEHOUSE_HOME: state.home,
    },
  };
}
