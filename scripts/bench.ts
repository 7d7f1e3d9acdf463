// `npm run bench -- <name>`: runs one bench, which prints a table beside its anchor and keeps it in bench/results.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const names = readdirSync(join(import.meta.dirname, '..', 'bench'))
  .flatMap((file) => /^([a-z][a-z-]*)\.ts$/.exec(file)?.[1] ?? [])
  .toSorted();
const [name = ''] = process.argv.slice(2);
if (names.includes(name)) await import(`../bench/${name}.ts`);
else {
  console.error(`npm run bench -- <name>; there are: ${names.join(', ')}`);
  process.exitCode = 2;
}
