// Tests that are run as a bench: with more of what they try, and a seed of the bench's own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..');
const Test = z.object({ title: z.string(), status: z.enum(['passed', 'failed']), duration: z.number() });
const Results = z.object({ testResults: z.array(z.object({ assertionResults: z.array(Test) })) });

/** Runs the tests of some files with more in their environment; `duration` is in milliseconds. */
export function runTests(files: string, environment: Readonly<Record<string, string>>): z.infer<typeof Test>[] {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  try {
    const file = join(folder, 'results.json');
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const options = ['run', files, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const env = { ...process.env, ...environment };
    spawnSync(process.execPath, [vitest, ...options], { cwd: ROOT, stdio: 'inherit', env });
    const { testResults } = Results.parse(JSON.parse(readFileSync(file, 'utf8')));
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
    if (tests.length === 0) throw new Error(`${files}: no test was run`);
    return tests;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
