import { execFile } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

// In processes of their own: the tests' own loader would find everything.
const REPOSITORY = join(import.meta.dirname, '../..');
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-elsewhere-'));
});
afterAll(() => rm(folder, { recursive: true }));

const gatehouse = (...args: readonly string[]) =>
  promisify(execFile)(process.execPath, [join(REPOSITORY, 'cli/main.ts'), '--models', folder, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, GATEHOUSE_HOME: folder },
  });

it('makes and checks a model outside of the repository, which uses what both have', async () => {
  const made = await gatehouse('model', 'new', 'churn');
  expect(made.stdout).toContain(`gatehouse model check churn --models ${folder}`);
  // A package of the folder's own, and one that only the repository has.
  const own = join(folder, 'node_modules/own');
  await mkdir(own, { recursive: true });
  await writeFile(join(own, 'package.json'), '{"name":"own","type":"module","exports":"./index.js"}');
  await writeFile(join(own, 'index.js'), 'export const days = 14;');
  await appendFile(
    join(folder, 'churn/model.ts'),
    "\nimport { days } from 'own';\nimport { z } from 'zod';\nz.literal(14).parse(days);\n",
  );
  const { stdout } = await gatehouse('model', 'check', 'churn');
  expect(stdout).toMatch(/churn .* ok/);
});

it('says what an import did not find', async () => {
  await appendFile(join(folder, 'churn/model.ts'), "\nimport 'not-there-at-all';\n");
  await expect(gatehouse('model', 'check', 'churn')).rejects.toMatchObject({
    stderr: expect.stringContaining('not-there-at-all'),
  });
});
