// Requests over kept-alive connections: as many as are answered, or so many a second.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import type { HostAnswer, HostOrder } from './host.ts';

/** What one request was answered, and when. Times are of `performance.now()`. */
export interface Call {
  readonly began: number;
  readonly ended: number;
  readonly status: number;
  readonly body: string;
}

/** A client of one server. */
export interface Client {
  post(body: string): Promise<Call>;
  close(): void;
}

/** Calls over at most so many connections. */
export function clientOf(port: number, path: string, connections: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    post: (body) =>
      new Promise((resolve, reject) => {
        const began = performance.now();
        const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
        const call = request({ port, host: '127.0.0.1', path, method: 'POST', agent, headers }, (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({ began, ended: performance.now(), status: response.statusCode ?? 0, body: text }),
          );
        });
        call.on('error', reject);
        call.end(body);
      }),
    close: () => agent.destroy(),
  };
}

/** Sends so many requests one after the other from each of some senders; each has to be answered with 200. */
export async function callsOf(
  client: Client,
  bodies: readonly string[],
  { count, senders }: { readonly count: number; readonly senders: number },
): Promise<{ readonly milliseconds: readonly number[]; readonly perSecond: number }> {
  const found: number[] = [];
  const began = performance.now();
  let sent = 0;
  const sender = async (): Promise<void> => {
    while (sent < count) {
      const call = await client.post(bodies[sent++ % bodies.length] ?? '');
      if (call.status !== 200) throw new Error(`${call.status}: ${call.body}`);
      found.push(call.ended - call.began);
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
  return { milliseconds: found, perSecond: (1000 * count) / (performance.now() - began) };
}

/** Sends so many requests a second, whether or not those before are answered, until told to stop. */
export function steadily(perSecond: number, send: (index: number) => Promise<void>): { stop(): Promise<void> } {
  const began = performance.now();
  const waiting: Promise<void>[] = [];
  const timer = setInterval(() => {
    // A timer that is late sends what is due.
    while ((waiting.length * 1000) / perSecond < performance.now() - began) waiting.push(send(waiting.length));
  }, 1000 / perSecond);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(waiting);
    },
  };
}

/** Starts a process that serves; whoever starts it ends it. */
export async function startHost(order: HostOrder): Promise<{
  readonly port: number;
  switchTo(release: string): Promise<void>;
  end(): Promise<void>;
}> {
  const child = fork(join(import.meta.dirname, 'host-process.ts'));
  child.send(order);
  const answer = await answerOf(child);
  if (!('port' in answer)) throw new Error('a server says first where it listens');
  return {
    port: answer.port,
    async switchTo(release) {
      child.send({ switchTo: release });
      await answerOf(child);
    },
    async end() {
      child.kill();
      await once(child, 'exit');
    },
  };
}

async function answerOf(child: ChildProcess): Promise<HostAnswer> {
  const over = new AbortController();
  const ended = once(child, 'exit', over).then(([code]) => {
    throw new Error(`the server ended with ${String(code)}`);
  });
  try {
    const [answer] = (await Promise.race([once(child, 'message', over), ended])) as [HostAnswer];
    return answer;
  } finally {
    over.abort();
  }
}
