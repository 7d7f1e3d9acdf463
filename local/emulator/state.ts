import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { isAlive } from './processes.ts';

/** The processes of a local cloud. */
export const SERVICES = ['emulator', 'sagemaker', 'cloudwatch'] as const;
export type ServiceName = (typeof SERVICES)[number];

const Service = z.strictObject({ pid: z.int().positive(), port: z.int().positive(), log: z.string() });

/** What `<home>/local.json` says of a running local cloud. */
export const LocalState = z.strictObject({
  formatVersion: z.literal(1),
  home: z.string(),
  region: z.string(),
  controlAccount: z.string(),
  persistent: z.boolean(),
  startedAt: z.iso.datetime(),
  emulator: Service,
  sagemaker: Service,
  /** A cloud that an earlier version started has none: it counts as one that has crashed. */
  cloudwatch: Service.optional(),
});
export type LocalState = z.infer<typeof LocalState>;

const stateFile = (home: string): string => join(home, 'local.json');
const portsFile = (home: string): string => join(home, 'ports.json');

const Port = z.int().positive();
const RememberedPorts = z.strictObject({ emulator: Port, sagemaker: Port, cloudwatch: Port.optional() });
export type RememberedPorts = z.infer<typeof RememberedPorts>;
export type Ports = Readonly<Record<ServiceName, number>>;

function readDocument<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Writes so that a reader sees the whole document or the previous one. */
export function writeDocument(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(temporary, path);
}

/** Reads what was last started under a home, whether or not it still runs. */
export const readState = (home: string): LocalState | undefined => readDocument(stateFile(home), LocalState);
/** Records what runs, and its ports for the next start: persisted resources (queue URLs) contain them. */
export function writeState(state: LocalState, ports: Ports): void {
  writeDocument(stateFile(state.home), state);
  rememberPorts(state.home, ports);
}
/** Records the ports of the next start. */
export const rememberPorts = (home: string, ports: Ports): void => writeDocument(portsFile(home), ports);
/** Forgets what ran; the ports stay remembered. */
export const clearState = (home: string): void => rmSync(stateFile(home), { force: true });
/** The ports of the previous start, if there was one. */
export const rememberedPorts = (home: string): RememberedPorts | undefined =>
  readDocument(portsFile(home), RememberedPorts);

/** When the emulator of a home last saved all of its state, in milliseconds of the epoch. */
export const lastSave = (home: string): number | undefined =>
  readDocument(join(home, 'emulator', 'state', 'saved.json'), z.object({ savedAt: z.int() }))?.savedAt;

/** Runs `work` while no other process starts or stops the same home's cloud. */
export async function exclusively<T>(home: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(home, { recursive: true });
  const lock = join(home, 'local.lock');
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    while (!tryLink(mine, lock)) {
      const owner = Number(readText(lock) ?? 0);
      if (owner !== 0 && !isAlive(owner)) rmSync(lock, { force: true });
      await pause(50);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

// A link appears with its content or not at all, so nobody reads a lock without an owner.
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
