// The CloudWatch subset as a process: `node main.ts <home> <port> <emulator's endpoint> <region> [<owner's pid>]`.
// GATEHOUSE_LOCAL_TIME_SCALE is how much faster than the clock it lives; with PERSIST_STATE its end saves the metrics.
import { serve } from '@hono/node-server';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive } from '../emulator/processes.ts';
import { createCloudWatch } from './server.ts';
import { TimeScale } from './time-scale.ts';

// The shortest interval of evaluations, and how often the emulator is asked for its alarms at most.
const LOOK_MS = 10_000;
const SHORTEST_LOOK_MS = 500;

const [home, port, endpoint, region, owner] = process.argv.slice(2);
if (home === undefined || port === undefined || endpoint === undefined || region === undefined) {
  throw new Error('usage: main.ts <home> <port> <endpoint> <region> [<owner>]');
}
const scale = new TimeScale(Number(process.env['GATEHOUSE_LOCAL_TIME_SCALE'] ?? 1), Date.now());
const say = (message: string): void => console.error(new Date().toISOString(), message);
const cloudwatch = createCloudWatch({ endpoint, region, scale, say, now: Date.now });
const saved = process.env['PERSIST_STATE'] === '1' ? join(home, 'cloudwatch', 'metrics.json') : undefined;
if (saved !== undefined) cloudwatch.store.load(saved);
const end = (): never => {
  if (saved !== undefined) cloudwatch.store.save(saved);
  process.exit(0);
};
process.on('SIGTERM', end);
process.on('SIGINT', end);
// A killed test leaves nothing behind.
if (owner !== undefined) setInterval(() => isAlive(Number(owner)) || end(), 1_000).unref();
serve({ fetch: cloudwatch.app.fetch, port: Number(port), hostname: '127.0.0.1' });

let fault = '';
for (;;) {
  try {
    await cloudwatch.evaluate();
    fault = '';
  } catch (error) {
    // The emulator may be starting or ending; once for each cause.
    if (String(error) !== fault) say(`alarms are not evaluated: ${String(error)}`);
    fault = String(error);
  }
  await pause(Math.max(SHORTEST_LOOK_MS, LOOK_MS / scale.factor));
}
