// `npm run check`: types, lint, format, dead code, Python and workflows, all at once; tells everything that failed, not the first only.
import { spawn } from 'node:child_process';

interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** What mends it, where a command does. */
  readonly mend?: string;
}

const CHECKS: readonly Check[] = [
  { name: 'types', command: ['tsc'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', command: ['oxfmt', '--check', '.'], mend: 'npm run fix' },
  { name: 'dead code', command: ['knip', '--no-progress', '--no-config-hints'] },
  { name: 'python lint', command: ['ruff', 'check', '--quiet', '--no-cache', '.'], mend: 'ruff check --fix .' },
  {
    name: 'python format',
    command: ['ruff', 'format', '--check', '--quiet', '--no-cache', '.'],
    mend: 'ruff format .',
  },
  {
    name: 'workflows',
    command: ['zizmor', '--offline', '--quiet', '--no-progress', '--strict-collection', '.github/workflows'],
  },
];

interface Outcome extends Check {
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

const run = (check: Check): Promise<Outcome> =>
  new Promise((resolve) => {
    const began = performance.now();
    const [command, ...args] = check.command;
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const end = (passed: boolean): void =>
      resolve({ ...check, passed, output: output.trim(), seconds: (performance.now() - began) / 1000 });
    child.on('error', (error) => {
      output += `${command} did not start: ${error.message}; run "npm run setup"`;
      end(false);
    });
    child.on('close', (code) => end(code === 0));
  });

const outcomes = await Promise.all(CHECKS.map(run));
const failed = outcomes.filter(({ passed }) => !passed);
for (const { name, output } of failed) console.log(`--- ${name}\n${output}\n`);
for (const { name, passed, seconds, mend } of outcomes) {
  const remedy = passed || mend === undefined ? '' : `  (${mend})`;
  console.log(`${passed ? 'ok    ' : 'FAILED'}  ${name.padEnd(14)} ${seconds.toFixed(1).padStart(5)} s${remedy}`);
}
process.exitCode = failed.length === 0 ? 0 : 1;
