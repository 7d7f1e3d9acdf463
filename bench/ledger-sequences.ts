// Sequences of the ledger's model, on every core: twenty times what `npm test` runs, or as many as asked.
//   npm run bench -- ledger-sequences [--sequences 20000] [--seed S]
// With --seed that one sequence is run. What breaks is shrunk and kept under test/ledger/counterexamples, where a test
// replays it for ever.
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { type Failure, LENGTH, runSeeds } from '#test/ledger/_run.ts';
import { figure, report } from './_report.ts';

/** How many sequences a worker runs between two messages. */
const BATCH = 50;

/** The seeds of one worker: `first`, and each `step`-th batch after it, below `end`. */
const Share = z.strictObject({ first: z.int(), step: z.int(), end: z.int() });
type Share = z.infer<typeof Share>;

function keep({ seed, scenario, violations }: Failure): void {
  const path = join(import.meta.dirname, '../test/ledger/counterexamples', `seed-${seed}.json`);
  writeFileSync(path, `${JSON.stringify({ ...scenario, seed, violations }, null, 2)}\n`);
  process.stdout.write(`\nseed ${seed} breaks:\n${violations.join('\n')}\nkept as ${path}\n`);
  process.exitCode = 1;
}

async function work(port: MessagePort, { first, step, end }: Share): Promise<void> {
  for (let from = first; from < end; from += step * BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, end - from) }, (_, index) => from + index);
    port.postMessage((await runSeeds(seeds)) ?? seeds.length);
  }
}

/** Runs so many sequences on every core, and reports them. */
async function supervise(sequences: number): Promise<void> {
  const seed = randomInt(2 ** 31);
  console.log(`${sequences} sequences from seed ${seed}`);
  const started = performance.now();
  const cores = availableParallelism();
  let [done, broken] = [0, 0];
  const onDone = (message: number | Failure): void => {
    if (typeof message === 'number') done += message;
    else {
      broken += 1;
      keep(message);
    }
    process.stdout.write(`\r${done} sequences, ${((performance.now() - started) / 1000).toFixed(0)} s `);
  };
  await Promise.all(
    Array.from({ length: cores }, (_, core) => {
      const share: Share = { first: seed + core * BATCH, step: cores, end: seed + sequences };
      const worker = new Worker(new URL(import.meta.url), { workerData: share });
      worker.on('message', onDone);
      return new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    }),
  );
  const minutes = (performance.now() - started) / 60_000;
  const alone = ['no anchor', null] as const;
  report(
    'ledger-sequences',
    {
      title: 'Sequences of acts, with faults and races, that break nothing',
      about: `${LENGTH} commands each by three environments and the people, with lost answers, crashes and races between them; the invariants are checked after each command. \`npm test\` runs a twentieth, with a fresh seed each time; what breaks is kept in test/ledger/counterexamples.`,
      versions: { seed: String(seed) },
    },
    [
      figure('sequences that break something', 'sequences', broken, alone, { oursAtMost: 0 }),
      figure('sequences that were run', 'sequences', done, alone, {}),
      figure(`sequences a minute, on ${cores} cores`, '1/min', done / minutes, alone, {}),
    ],
  );
}

if (parentPort !== null) {
  await work(parentPort, Share.parse(workerData));
} else {
  const { values } = parseArgs({
    // `npm run bench` hands over the bench's own name first.
    allowPositionals: true,
    options: { sequences: { type: 'string', default: '20000' }, seed: { type: 'string' } },
  });
  if (values.seed === undefined) await supervise(Number(values.sequences));
  else {
    const failure = await runSeeds([Number(values.seed)]);
    if (failure === undefined) console.log(`seed ${values.seed} breaks nothing`);
    else keep(failure);
  }
}
