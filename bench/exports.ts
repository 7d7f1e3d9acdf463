// Whether what common libraries export to ONNX today is still taken, and predicts what the library predicts: the libraries are
// installed in the versions of exports/requirements.txt, and export what the tests read copies of. `--update` renews the copies.
//   npm run bench -- exports [--update]
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createScorer } from '#adapters/onnx/scorer.ts';
import { withoutZipMap } from '#adapters/onnx/zip-map.ts';
import { figure, report } from './_report.ts';

const ROOT = join(import.meta.dirname, '..');
const HOME = join(ROOT, '.gatehouse/bench/exports');
const [ENVIRONMENT, FILES] = [join(HOME, 'venv'), join(HOME, 'files')];
const { values } = parseArgs({ allowPositionals: true, options: { update: { type: 'boolean', default: false } } });

const run = (program: string, ...args: string[]): void => {
  execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
};
mkdirSync(HOME, { recursive: true });
const python = join(ENVIRONMENT, 'bin/python');
if (!existsSync(python)) run(join(ROOT, '.venv/bin/python'), '-m', 'venv', ENVIRONMENT);
console.error('  installing the libraries');
run(python, '-m', 'pip', 'install', '--quiet', '--requirement', join(import.meta.dirname, 'exports/requirements.txt'));
console.error('  exporting');
run(python, join(import.meta.dirname, 'exports/export.py'), FILES);

const Expected = z.object({
  rows: z.array(z.array(z.number())),
  predictions: z.record(z.string(), z.array(z.number())),
});
const { rows, predictions } = Expected.parse(JSON.parse(readFileSync(join(FILES, 'expected.json'), 'utf8')));
const columns = (rows[0] ?? []).map((_, index) => `f${index}`);
const found: { name: string; difference: number | undefined; refusal: string }[] = [];
for (const [name, expected] of Object.entries(predictions)) {
  const created = await createScorer(withoutZipMap(readFileSync(join(FILES, `${name}.onnx`))), columns);
  const scored =
    created.kind === 'refused' ? created : await created.scorer.score(Float32Array.from(rows.flat()), rows.length);
  if (scored.kind === 'refused') {
    found.push({ name, difference: undefined, refusal: scored.refusal.found });
    continue;
  }
  const differences = expected.map((each, row) => Math.abs(each - (scored.predictions[row] ?? Number.NaN)));
  found.push({ name, difference: Math.max(...differences), refusal: '' });
}
for (const { name, difference, refusal } of found)
  console.log(`${name.padEnd(28)} ${difference === undefined ? `refused: ${refusal}` : difference.toExponential(1)}`);
if (values.update) cpSync(FILES, join(ROOT, 'test/adapters/onnx/exports'), { recursive: true });

const taken = found.flatMap(({ difference }) => difference ?? []);
report(
  'exports',
  {
    title: 'Exports of common libraries',
    about:
      'Small models of scikit-learn, LightGBM, XGBoost and CatBoost, exported by their own converters, of which each is to be taken and to predict what its library predicts. Refused are nearest neighbours and Gaussian processes; wrongly translated by its converter is linear discriminant analysis.',
    versions: {},
  },
  [
    figure('exports that are taken', 'count', taken.length, ['all that are tried', found.length], {
      ratioAtLeast: 0.85,
    }),
    figure(
      'of them as their library predicts',
      'count',
      taken.filter((each) => each < 1e-5).length,
      ['taken', taken.length],
      {
        ratioAtLeast: 0.95,
      },
    ),
  ],
);
