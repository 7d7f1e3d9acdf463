import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { LocalImage } from './images.ts';
import type { Job } from './job.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
// AWS gives a container this long between SIGTERM and SIGKILL.
const STOP_GRACE_MS = 120_000;

/** The folders of a job under its root, which stands for `/` of the container. */
export interface Layout {
  readonly root: string;
  readonly ml: string;
  readonly model: string;
  readonly outputData: string;
  readonly failure: string;
  readonly message: string;
  readonly channel: (name: string) => string;
  /** Where a path inside the container is on this machine. */
  readonly inside: (path: string) => string;
}

/** The `/opt/ml` tree below a job's root. */
export function layoutOf(root: string): Layout {
  const ml = join(root, 'opt', 'ml');
  return {
    root,
    ml,
    model: join(ml, 'model'),
    outputData: join(ml, 'output', 'data'),
    failure: join(ml, 'output', 'failure'),
    message: join(ml, 'output', 'message'),
    channel: (name) => join(ml, 'input', 'data', name),
    inside: (path) => join(root, path),
  };
}

/** Makes a job's folders and writes its configuration, as SageMaker does before it starts a container. */
export async function prepare(job: Job, layout: Layout): Promise<void> {
  const folders = [
    layout.model,
    layout.outputData,
    join(layout.root, 'tmp'),
    join(layout.ml, 'input', 'config'),
    join(layout.ml, 'config'),
  ];
  for (const folder of folders) await mkdir(folder, { recursive: true });
  const resources = {
    current_host: 'algo-1',
    current_instance_type: instanceType(job),
    hosts: ['algo-1'],
    network_interface_name: 'lo',
  };
  if (job.kind === 'training') {
    const config = join(layout.ml, 'input', 'config');
    await writeJson(join(config, 'hyperparameters.json'), job.request.HyperParameters ?? {});
    await writeJson(join(config, 'inputdataconfig.json'), inputDataConfig(job));
    await writeJson(join(config, 'resourceconfig.json'), resources);
    return;
  }
  for (const { S3Output } of job.request.ProcessingOutputConfig?.Outputs ?? []) {
    await mkdir(layout.inside(S3Output.LocalPath), { recursive: true });
  }
  await writeJson(join(layout.ml, 'config', 'processingjobconfig.json'), { ...job.request, ProcessingJobArn: job.arn });
  await writeJson(join(layout.ml, 'config', 'resourceconfig.json'), resources);
}

const instanceType = (job: Job): string =>
  job.kind === 'training'
    ? job.request.ResourceConfig.InstanceType
    : job.request.ProcessingResources.ClusterConfig.InstanceType;

const inputDataConfig = (job: Extract<Job, { kind: 'training' }>): Record<string, unknown> =>
  Object.fromEntries(
    (job.request.InputDataConfig ?? []).map(({ ChannelName, CompressionType }) => [
      ChannelName,
      {
        TrainingInputMode: 'File',
        S3DistributionType: 'FullyReplicated',
        RecordWrapperType: 'None',
        CompressionType: CompressionType ?? 'None',
      },
    ]),
  );

const writeJson = (path: string, value: unknown): Promise<void> => writeFile(path, JSON.stringify(value));

/** The whole environment of a job's program: nothing of this process's own, and no AWS credentials or endpoint. */
export function environmentOf(job: Job, layout: Layout): Record<string, string> {
  const host = {
    PATH: [join(REPOSITORY, '.venv', 'bin'), dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(
      delimiter,
    ),
    HOME: layout.root,
    TMPDIR: join(layout.root, 'tmp'),
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    PYTHONUNBUFFERED: '1',
    // The command runs in the model's own folder, which a run must not change.
    PYTHONDONTWRITEBYTECODE: '1',
    SM_ROOT: layout.root,
    SM_CURRENT_HOST: 'algo-1',
    SM_HOSTS: '["algo-1"]',
    SM_NUM_CPUS: String(availableParallelism()),
    SM_NUM_GPUS: '0',
  };
  if (job.kind === 'processing')
    return { ...host, PROCESSING_JOB_NAME: job.name, PROCESSING_JOB_ARN: job.arn, ...job.request.Environment };
  const channels = (job.request.InputDataConfig ?? []).map(({ ChannelName }) => ChannelName);
  const hyperparameters = job.request.HyperParameters ?? {};
  return {
    ...host,
    TRAINING_JOB_NAME: job.name,
    TRAINING_JOB_ARN: job.arn,
    SM_MODEL_DIR: layout.model,
    SM_OUTPUT_DIR: join(layout.ml, 'output'),
    SM_OUTPUT_DATA_DIR: layout.outputData,
    SM_INPUT_DIR: join(layout.ml, 'input'),
    SM_INPUT_CONFIG_DIR: join(layout.ml, 'input', 'config'),
    SM_CHANNELS: JSON.stringify(channels),
    SM_HPS: JSON.stringify(hyperparameters),
    ...Object.fromEntries(channels.map((name) => [`SM_CHANNEL_${variable(name)}`, layout.channel(name)])),
    ...Object.fromEntries(Object.entries(hyperparameters).map(([name, value]) => [`SM_HP_${variable(name)}`, value])),
    ...job.request.Environment,
  };
}

const variable = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9]/g, '_');

/** What is asked of a container besides its job: which command, whether it may reach the network, where its log goes. */
export interface RunOptions {
  readonly image: LocalImage;
  readonly isolated: boolean;
  /** A folder that an isolated program finds empty: the emulator's stored objects. */
  readonly hidden: string;
  readonly log: string;
}

/** A running program. */
export interface Running {
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<{ readonly code: number; readonly signal: NodeJS.Signals | null }>;
  /** Asks it to end, and ends it if it does not. */
  readonly stop: () => void;
  /** Ends it and everything that it started, at once. */
  readonly kill: () => void;
}

// File descriptor 3 is a pipe from this process: when this process ends in whatever way, the pipe closes, `cat` returns
// and the whole group ends. So no job outlives the local cloud, not even after a crash.
const GUARD = '{ cat <&3 >/dev/null; kill -KILL 0; } & exec "$@" 3<&- </dev/null';
const HIDE = 'mount -t tmpfs -o ro none "$HIDDEN" && unset HIDDEN;';

/** Runs a job's program in its image's folder until it ends. */
export function run(job: Job, layout: Layout, options: RunOptions): Running {
  const entrypoint = job.kind === 'training' ? job.request.AlgorithmSpecification : job.request.AppSpecification;
  const command = [
    ...(entrypoint.ContainerEntrypoint ?? options.image.command),
    ...(entrypoint.ContainerArguments ?? []),
  ];
  const guarded = ['sh', '-c', `${options.isolated ? HIDE : ''} ${GUARD}`, 'sh', ...command];
  const [program = 'sh', ...args] = options.isolated ? ['unshare', '-rnm', ...guarded] : guarded;
  const log = createWriteStream(options.log, { flags: 'a' });
  const child = spawn(program, args, {
    cwd: options.image.folder,
    env: { ...environmentOf(job, layout), ...(options.isolated && { HIDDEN: options.hidden }) },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  let force: NodeJS.Timeout | undefined;
  const kill = (): void => signalGroup(child, 'SIGKILL');
  const exit = new Promise<{ code: number; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    // What the program left behind, and the guard, end with it; only then are the outputs whole.
    child.once('exit', kill);
    child.once('close', (code, signal) => resolve({ code: code ?? 128, signal }));
  });
  const conclude = async (): Promise<{ code: number; signal: NodeJS.Signals | null }> => {
    try {
      return await exit;
    } finally {
      clearTimeout(force);
      log.end();
      await finished(log);
    }
  };
  const stop = (): void => {
    child.kill('SIGTERM');
    force = setTimeout(kill, STOP_GRACE_MS);
  };
  return { ended: conclude(), stop, kill };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // Nothing of the group is left.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

let isolation: Promise<boolean> | undefined;

/** Whether this machine lets a plain user run a program in a network and mount namespace of its own (Linux mostly does). */
export function canIsolate(): Promise<boolean> {
  isolation ??= new Promise((resolve) => {
    execFile('unshare', ['-rnm', 'sh', '-c', 'mount -t tmpfs -o ro none /mnt'], (error) => resolve(error === null));
  });
  return isolation;
}

/** The first 1,024 characters of what a program left for its caller, as AWS cuts it. */
export async function readNote(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text?.slice(0, 1024);
}
