// Runs sequences of the ledger's model with fresh seeds, as long as asked, on every core:
//   node bench/ledger-sequences.ts [--minutes 10] [--seed S]
// With --seed that one seed is run. What breaks is shrunk and kept under test/ledger/counterexamples, where a test
// replays it for ever.
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Failure, LENGTH, runSeeds } from '#test/ledger/_run.ts';

/** How many sequences a worker runs between two words. */
const BATCH = 50;

function keep({ seed, scenario, violations }: Failure): void {
  const path = join(import.meta.dirname, '../test/ledger/counterexamples', `seed-${seed}.json`);
  writeFileSync(path, `${JSON.stringify({ ...scenario, seed, violations }, null, 2)}\n`);
  process.stdout.write(`\nseed ${seed} breaks:\n${violations.join('\n')}\nkept as ${path}\n`);
  process.exitCode = 1;
}

/** Runs batches of consecutive seeds until time is over, and says how many were done. */
async function work(port: MessagePort, until: number): Promise<void> {
  while (Date.now() < until) {
    const first = randomInt(2 ** 31);
    const failure = await runSeeds(Array.from({ length: BATCH }, (_, index) => first + index));
    port.postMessage(failure ?? BATCH);
    if (failure !== undefined) return;
  }
}

function supervise(minutes: number): void {
  const started = Date.now();
  let done = 0;
  const say = (): void => {
    const seconds = (Date.now() - started) / 1000;
    const rate = `${(done / seconds).toFixed(0)} sequences/s of ${LENGTH} commands`;
    process.stdout.write(`\r${done} sequences, ${seconds.toFixed(0)} s, ${rate}   `);
  };
  for (let index = 0; index < availableParallelism(); index += 1) {
    const worker = new Worker(new URL(import.meta.url), { workerData: started + minutes * 60_000 });
    worker.on('message', (word: number | Failure) => {
      if (typeof word === 'number') done += word;
      else keep(word);
      say();
    });
    worker.on('exit', () => process.stdout.write('\n'));
  }
}

const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
if (parentPort !== null) {
  await work(parentPort, Number(workerData));
} else if (values.seed === undefined) {
  supervise(Number(values.minutes ?? 10));
} else {
  const failure = await runSeeds([Number(values.seed)]);
  if (failure === undefined) process.stdout.write(`seed ${values.seed} breaks nothing\n`);
  else keep(failure);
}
