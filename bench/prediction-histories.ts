// Histories of data, releases, crashes and late writers: twenty times what `npm test` runs, or as many as asked.
//   npm run bench -- prediction-histories [--histories 100] [--seed S]
// A history that fails is printed, shrunk; it is kept in test/use-cases/prediction-histories.test.ts.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { figure, report } from './_report.ts';
import { runTests } from './_tests.ts';

const { values } = parseArgs({
  // `npm run bench` hands over the bench's own name first.
  allowPositionals: true,
  options: {
    histories: { type: 'string', default: '100' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
});
const histories = Number(values.histories);
const tests = runTests('test/use-cases/prediction-histories.test.ts', {
  GATEHOUSE_HISTORIES: values.histories,
  GATEHOUSE_SEED: values.seed,
});
const failed = tests.filter(({ status }) => status === 'failed').length;
if (failed > 0) process.exitCode = 1;
const alone = ['no anchor', null] as const;
report(
  'prediction-histories',
  {
    title: 'Histories of data, releases, crashes and late writers',
    about: `${histories} histories through the machine, the use-cases, DuckDB and onnxruntime: what is published in the end has the bytes of a run from scratch. \`npm test\` runs a twentieth, with a fresh seed each time.`,
    versions: { seed: values.seed },
  },
  [
    figure('tests that failed', 'tests', failed, alone, { oursAtMost: 0 }),
    figure('a history', 's', Math.max(...tests.map(({ duration }) => duration)) / histories / 1000, alone, {}),
  ],
);
