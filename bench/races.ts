// Races on the emulator: twenty times the rounds of `npm test`, or as many as asked.
//   npm run bench -- races [--rounds 100] [--seed S]
// A race that fails is kept under test/adapters/counterexamples, where a test runs its seed for ever.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { MINISTACK } from './_cloud.ts';
import { figure, report } from './_report.ts';

const ROOT = join(import.meta.dirname, '..');
const COUNTEREXAMPLES = join(ROOT, 'test/adapters/counterexamples');

const Results = z.object({
  testResults: z.array(
    z.object({
      assertionResults: z.array(
        z.object({ title: z.string(), status: z.enum(['passed', 'failed']), duration: z.number() }),
      ),
    }),
  ),
});

const { values } = parseArgs({
  // `npm run bench` hands over the bench's own name first.
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
});
const [rounds, seed] = [Number(values.rounds), Number(values.seed)];

/** The races of the tests, with the bench's rounds and seed. */
function run() {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-races-'));
  try {
    const file = join(folder, 'results.json');
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const options = [
      'run',
      'test/adapters/races',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ];
    spawnSync(process.execPath, [vitest, ...options], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, GATEHOUSE_ROUNDS: String(rounds), GATEHOUSE_SEED: String(seed) },
    });
    const { testResults } = Results.parse(JSON.parse(readFileSync(file, 'utf8')));
    return testResults.flatMap(({ assertionResults }) => assertionResults);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const races = run();
if (races.length === 0) throw new Error('no race was run');
for (const { title } of races.filter(({ status }) => status === 'failed')) {
  const [race = ''] = title.split(':');
  const path = join(COUNTEREXAMPLES, `${race}-${seed}.json`);
  writeFileSync(path, `${JSON.stringify({ race, seed, rounds }, null, 2)}\n`);
  console.log(`${title} fails with seed ${seed}; kept as ${path}`);
  process.exitCode = 1;
}
const alone = ['no anchor', null] as const;
report(
  'races',
  {
    title: 'What only one may do, tried by 64 at once',
    about: `${rounds} rounds of each race on the emulator, 64 at once, through the product's own builders: exactly one takes effect, whole, and the others are told. \`npm test\` runs a twentieth, with a fresh seed each time; a seed that fails is kept in test/adapters/counterexamples.`,
    versions: { ministack: MINISTACK, seed: String(seed) },
  },
  [
    figure('races that failed', 'races', races.filter(({ status }) => status === 'failed').length, alone, {
      oursAtMost: 0,
    }),
    ...races.map(({ title, duration }) => figure(title, 'ms/round', duration / rounds, alone, {})),
  ],
);
