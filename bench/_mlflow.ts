// MLflow's tracking server as people run it, at its best: SQLite, one worker, in a virtual environment of its own, spoken
// to over REST with a connection that is kept alive, so that no client of its own stands in the way.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { endGroup, probePort, until } from '#local/emulator/processes.ts';

const HOME = join(import.meta.dirname, '..', '.gatehouse', 'bench', 'mlflow');
const WANTED = 'mlflow==3.17.*';

/** A running server, and its registry's calls. */
export interface Mlflow extends AsyncDisposable {
  readonly version: string;
  readonly call: <T>(schema: z.ZodType<T>, method: 'GET' | 'POST' | 'DELETE', path: string, body: object) => Promise<T>;
}

/** Starts a server on an empty database. */
export async function startMlflow(): Promise<Mlflow> {
  const python = join(HOME, 'bin', 'python');
  if (!existsSync(join(HOME, 'bin', 'mlflow'))) install(python);
  const version = execFileSync(python, ['-c', 'import importlib.metadata as m; print(m.version("mlflow"))'], {
    encoding: 'utf8',
  }).trim();
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-mlflow-'));
  const port = await probePort(0);
  if (port === undefined) throw new Error('no port of 127.0.0.1 can be listened on');
  const log = join(folder, 'server.log');
  const output = openSync(log, 'w');
  const store = ['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`];
  const artifacts = ['--artifacts-destination', join(folder, 'artifacts')];
  const address = ['--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
  const server = spawn(join(HOME, 'bin', 'mlflow'), ['server', ...store, ...artifacts, ...address], {
    cwd: folder,
    // Without telemetry and without its runners of background jobs, which would only slow it down.
    env: {
      PATH: `${join(HOME, 'bin')}:/usr/bin:/bin`,
      HOME: folder,
      MLFLOW_DISABLE_TELEMETRY: 'true',
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
      DO_NOT_TRACK: 'true',
    },
    detached: true,
    stdio: ['ignore', output, output],
  });
  const { pid } = server;
  if (pid === undefined) throw new Error(`mlflow did not start: delete ${HOME} and try again`);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const stop = async (): Promise<void> => {
    agent.destroy();
    await endGroup(pid, 5_000);
    rmSync(folder, { recursive: true, force: true });
  };
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  if (!(await until(answers, 120_000, 200))) {
    const said = readFileSync(log, 'utf8').slice(-2000);
    await stop();
    throw new Error(`mlflow does not answer: ${said}`);
  }
  return {
    version,
    call: async (schema, method, path, body) => schema.parse(await send(agent, port, method, path, body)),
    [Symbol.asyncDispose]: stop,
  };
}

function install(python: string): void {
  console.error(`bench: installing ${WANTED} into ${HOME}`);
  mkdirSync(HOME, { recursive: true });
  execFileSync('python3', ['-m', 'venv', '--clear', HOME], { stdio: 'inherit' });
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', WANTED], {
    stdio: 'inherit',
  });
}

function send(agent: Agent, port: number, method: string, path: string, body: object): Promise<unknown> {
  const query = method === 'GET' ? `?${new URLSearchParams(Object.entries(body)).toString()}` : '';
  const text = method === 'GET' ? '' : JSON.stringify(body);
  const headers =
    method === 'GET' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const options = { agent, host: '127.0.0.1', port, method, path: `/api/2.0/mlflow/${path}${query}`, headers };
    const sent = request(options, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const said = Buffer.concat(parts).toString();
        if (response.statusCode === 200) resolve(JSON.parse(said));
        else reject(new Error(`mlflow answered ${response.statusCode} to ${path}: ${said.slice(0, 500)}`));
      });
    });
    sent.on('error', reject);
    sent.end(text);
  });
}
