// Races on the emulator: twenty times the rounds of `npm test`, or as many as asked.
//   npm run bench -- races [--rounds 100] [--seed S]
// A race that fails is kept under test/adapters/counterexamples, where a test runs its seed for ever.
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MINISTACK } from './_cloud.ts';
import { figure, report } from './_report.ts';
import { runTests } from './_tests.ts';

const COUNTEREXAMPLES = join(import.meta.dirname, '../test/adapters/counterexamples');

const { values } = parseArgs({
  // `npm run bench` hands over the bench's own name first.
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
});
const [rounds, seed] = [Number(values.rounds), Number(values.seed)];

const races = runTests('test/adapters/races', { GATEHOUSE_ROUNDS: values.rounds, GATEHOUSE_SEED: values.seed });
const failed = races.filter(({ status }) => status === 'failed');
for (const { title } of failed) {
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
    versions: { ministack: MINISTACK, seed: values.seed },
  },
  [
    figure('races that failed', 'races', failed.length, alone, { oursAtMost: 0 }),
    ...races.map(({ title, duration }) => figure(title, 'ms/round', duration / rounds, alone, {})),
  ],
);
