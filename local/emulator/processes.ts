import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GatehouseError } from '#domain/error.ts';

/** Whether a process of this id exists. */
export function isAlive(pid: number): boolean {
  return signal(pid, 0);
}

/** Whether the process of this id is the one that was started with `marks` among its arguments: ids are reused. */
export function isOurs(pid: number, marks: readonly string[]): boolean {
  if (!isAlive(pid)) return false;
  const command = commandLine(pid);
  return marks.every((mark) => command.includes(mark));
}

/**
 * Ends a process gracefully, then whatever is left of its group, and returns when nothing is. One that does not end within the
 * grace may have a second signal, by which it drops what it waits for, and a second grace.
 */
export async function endGroup(
  pid: number,
  graceMs: number,
  then?: { readonly signal: NodeJS.Signals; readonly graceMs: number },
): Promise<void> {
  signal(pid, 'SIGTERM');
  let ended = await until(() => !isAlive(pid), graceMs);
  if (!ended && then !== undefined) {
    signal(pid, then.signal);
    ended = await until(() => !isAlive(pid), then.graceMs);
  }
  if (!ended) signal(-pid, 'SIGKILL');
  signal(-pid, 'SIGTERM');
  if (!(await until(() => !signal(-pid, 0), 1_000))) signal(-pid, 'SIGKILL');
  if (!(await until(() => !signal(-pid, 0), 5_000))) {
    throw new GatehouseError('LOCAL_PROCESS_STAYS', `process group ${pid} did not end; end it by "kill -9 -${pid}"`, {
      pid,
    });
  }
}

/** Ends what a crashed process left of its group; no other process can have its id while such a group exists. */
export function endOrphans(pid: number): void {
  if (!isAlive(pid)) signal(-pid, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Polls a condition until it holds or the time is over; says whether it held. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  milliseconds: number,
  interval = 20,
): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    if (await holds()) return true;
    if (performance.now() > deadline) return false;
    await pause(interval);
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // Not Linux.
  }
  try {
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

/** A service of the local cloud while it starts. */
export interface Started {
  readonly name: string;
  readonly pid: number;
  readonly log: string;
  readonly child: ChildProcess;
}

/** Starts a service as the leader of its own process group, detached, with its output in a log file. */
export async function startService(
  name: string,
  command: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
  log: string,
  folder: string,
): Promise<Started> {
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, 'w');
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) =>
      reject(
        new GatehouseError(
          'LOCAL_START_FAILED',
          `${name} did not start: ${error.message}; run "npm run setup"`,
          { program },
          error,
        ),
      ),
    );
  });
  child.unref();
  if (child.pid === undefined) throw new GatehouseError('LOCAL_START_FAILED', `${name} has no process`, { program });
  return { name, pid: child.pid, log, child };
}

/** Waits until a service answers at `url`; a service that ended or stays silent is a fault that shows the end of its log. */
export async function awaitHealth(service: Started, url: string, milliseconds: number): Promise<void> {
  const ended = (): boolean => service.child.exitCode !== null || service.child.signalCode !== null;
  const answered = await until(async () => ended() || (await responds(url)), milliseconds);
  if (answered && !ended()) return;
  const what = ended()
    ? `ended at start (${service.child.signalCode ?? `exit code ${service.child.exitCode}`})`
    : 'does not answer';
  throw new GatehouseError(
    'LOCAL_START_FAILED',
    `${service.name} ${what}; its log is ${service.log}, which ends:\n${tail(service.log)}`,
    { log: service.log, url },
  );
}

async function responds(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function tail(path: string): string {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.slice(-15).join('\n');
}

/** Below what systems give to outgoing connections, one of which could take a port before the server that it is for. */
const SERVER_PORTS = [20_000, 32_000] as const;

/** A port of 127.0.0.1 on which nothing listens. */
export async function freePort(): Promise<number | undefined> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = await probePort(randomInt(...SERVER_PORTS));
    if (port !== undefined) return port;
  }
  return undefined;
}

/** The port, if it can be listened on at 127.0.0.1. */
export async function probePort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    return await new Promise<number | undefined>((resolve) => {
      server.once('error', () => resolve(undefined));
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        resolve(address !== null && typeof address === 'object' ? address.port : undefined);
      });
    });
  } finally {
    server.close();
  }
}
