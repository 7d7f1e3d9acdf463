import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { GatehouseError } from '#domain/error.ts';
import type { LocalCloudOptions } from './cloud.ts';
import { endpointOf } from './ports.ts';
import { awaitHealth, endGroup, startService, type Started } from './processes.ts';
import { writeState, type LocalState, type Ports, type ServiceName } from './state.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
/** What each process runs; by it a later command recognises the process. */
export const PROGRAMS: Readonly<Record<ServiceName, string>> = {
  emulator: join(REPOSITORY, 'local', 'emulator', 'emulator.py'),
  sagemaker: join(REPOSITORY, 'local', 'sagemaker', 'main.ts'),
  cloudwatch: join(REPOSITORY, 'local', 'cloudwatch', 'main.ts'),
};
// The emulator is there in under a second; a cold disk or a loaded machine may take its time.
const START_DEADLINE_MS = 60_000;

/** Starts the processes of a cloud and waits until each of them answers. */
export async function startServices(
  options: LocalCloudOptions & { readonly home: string },
  ports: Ports,
): Promise<LocalState> {
  const { home } = options;
  const region = options.region ?? 'us-east-1';
  const persistent = options.persistent ?? true;
  const owner = options.owner === undefined ? [] : [String(options.owner)];
  const saving: Record<string, string> = persistent ? { PERSIST_STATE: '1' } : {};
  const started: Started[] = [];
  try {
    const python = requirePython();
    // The two subsets are processes of this repository's Node.
    const subset = async (name: 'sagemaker' | 'cloudwatch', title: string, own: Readonly<Record<string, string>>) => {
      const service = await startService(
        title,
        [process.execPath, PROGRAMS[name], home, String(ports[name]), endpointOf(ports.emulator), region, ...owner],
        { ...baseEnvironment(join(home, name)), ...own },
        join(home, 'logs', `${name}.log`),
        home,
      );
      started.push(service);
      return service;
    };
    const sagemaker = await subset('sagemaker', 'the SageMaker subset', {});
    const cloudwatch = await subset('cloudwatch', 'the CloudWatch subset', {
      ...saving,
      GATEHOUSE_LOCAL_TIME_SCALE: String(timeScaleOf(options)),
    });
    const emulator = await startService(
      'the emulator',
      [python, PROGRAMS.emulator, home, ...owner],
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
        // Lambdas inherit these; AWS_ENDPOINT_URL the emulator sets for them by itself.
        AWS_ENDPOINT_URL_SAGEMAKER: endpointOf(ports.sagemaker),
        AWS_ENDPOINT_URL_CLOUDWATCH: endpointOf(ports.cloudwatch),
        ...saving,
        ...(persistent && {
          S3_PERSIST: '1',
          STATE_DIR: join(home, 'emulator', 'state'),
          S3_DATA_DIR: join(home, 'emulator', 's3'),
        }),
      },
      join(home, 'logs', 'emulator.log'),
      home,
    );
    started.push(emulator);
    await awaitHealth(sagemaker, `${endpointOf(ports.sagemaker)}/health`, START_DEADLINE_MS);
    await awaitHealth(cloudwatch, `${endpointOf(ports.cloudwatch)}/health`, START_DEADLINE_MS);
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
      cloudwatch: { pid: cloudwatch.pid, port: ports.cloudwatch, log: cloudwatch.log },
    };
    writeState(state, ports);
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

/** How much faster than its clock the cloud's CloudWatch lives. */
function timeScaleOf({ timeScale }: LocalCloudOptions): number {
  const given = process.env['GATEHOUSE_LOCAL_TIME_SCALE'];
  const scale = timeScale ?? (given === undefined ? 1 : Number(given));
  if (Number.isFinite(scale) && scale > 0) return scale;
  throw new GatehouseError(
    'LOCAL_TIME_SCALE_UNUSABLE',
    `the time scale is ${given ?? scale}; set GATEHOUSE_LOCAL_TIME_SCALE to a positive number, or unset it for 1`,
    { scale: given ?? scale },
  );
}
