import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPointer } from '#read-model/pointer.ts';
import { eventually } from '../_helpers/cloud.ts';
import { askForCi, attestLines, COMMIT, environmentOf } from './_ci.ts';
import { type Journey, openJourney } from './_harness.ts';
import { testsReleases } from './_hearing.ts';
import { outputOf } from './_lifecycle.ts';

const ROOT = join(import.meta.dirname, '../..');
const STATUS = 'npm run gatehouse -- status churn';
const WHY = 'npm run gatehouse -- why churn@1.0.0 --to prod';

/** Lines beside each other that wait for nothing but what came before them: they are typed at once, as in several terminals. */
const AT_ONCE = /-- (?:model (?:train|evaluate)|data put) /;

let journey: Journey;
/** Where somebody stands who has no models yet. */
let folder: string;
/** What `export` has set by now. */
const exported: Record<string, string> = { GATEHOUSE_COMMIT: COMMIT };

beforeAll(async () => {
  journey = await openJourney('candidate');
  await testsReleases(journey);
  await mkdir(join(ROOT, '.gatehouse'), { recursive: true });
  folder = await mkdtemp(join(ROOT, '.gatehouse', 'own-model-'));
});
afterAll(async () => {
  await journey[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** The lines of the README's blocks for an own model, without their comments. */
async function linesOfReadme(): Promise<readonly string[]> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```sh own-model\n(?<block>[^`]*)^```$/gm)];
  const lines = blocks.flatMap(({ groups }) => (groups?.['block'] ?? '').trim().split('\n'));
  return lines.map((line) => line.replace(/\s+#.*$/, ''));
}

/** Types a line into a shell whose `gatehouse` is this one, and gives what it printed. */
async function typed(line: string): Promise<string> {
  const { name, value } = /^export (?<name>\w+)=(?<value>\S+)$/.exec(line)?.groups ?? {};
  if (name !== undefined && value !== undefined) {
    exported[name] = value;
    return '';
  }
  const command = line.replace('npm run gatehouse --', `"${process.execPath}" "${join(ROOT, 'cli/main.ts')}"`);
  const env = { PATH: process.env['PATH'], HOME: folder, GATEHOUSE_HOME: journey.cloud.home, ...exported };
  return new Promise((resolve, reject) => {
    execFile('bash', ['-c', command], { cwd: folder, env, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${line} ended with ${error.code}: ${stdout}${stderr}`, { cause: error }));
    });
  });
}

/** The status when an environment serves a version: looked at by the ledger, because each typed line is a process of its own. */
async function served(environment: 'staging' | 'prod', version: string): Promise<string> {
  const { ledger } = journey.account(environment);
  await eventually(`${environment} to serve ${version}`, async () => {
    const pointer = await readPointer(ledger, 'churn');
    return pointer?.version === version ? pointer : undefined;
  });
  const shown = await typed(STATUS);
  expect(shown).toMatch(new RegExp(`^${environment}\\s+${version.replaceAll('.', String.raw`\.`)}\\s`, 'm'));
  return shown;
}

/** What would be said in prod, when staging has tested the release. */
async function judged(): Promise<string> {
  return eventually('staging to test churn', async () => {
    const text = await typed(WHY);
    return text.includes('INCONCLUSIVE') ? undefined : text;
  });
}

/** The job of the push attests what it found, by its token. */
async function attestByCi(): Promise<void> {
  const runner = environmentOf(journey.cloud.sagemakerEndpoint, await outputOf(journey, 'ApiUrl'));
  Object.assign(exported, runner);
  for (const line of await attestLines(folder)) expect(await typed(line)).toContain('attested');
  for (const name of Object.keys(runner)) delete exported[name];
}

test('a model of one’s own comes from nothing to production by what the README says, typed as it stands', async () => {
  const lines = await linesOfReadme();
  expect(lines.filter((line) => line === STATUS)).toHaveLength(2);
  const waited = ['staging', 'prod'] as const;
  let looks = 0;
  const printed = new Map<string, string>();
  const begun: Promise<void>[] = [];
  for (const line of lines) {
    const isAlone = !AT_ONCE.test(line);
    if (isAlone) await Promise.all(begun.splice(0));
    if (line.includes('-- run start ')) await attestByCi();
    const environment = line === STATUS ? waited[looks++] : undefined;
    const printing = line === WHY ? judged() : environment === undefined ? typed(line) : served(environment, '1.0.0');
    begun.push(printing.then((text) => void printed.set(line, text)));
    if (isAlone) await Promise.all(begun.splice(0));
    if (line.includes('-- model new ')) await askForCi(join(folder, 'models/churn'));
  }
  const of = (command: string): string => printed.get(lines.find((line) => line.includes(command)) ?? '') ?? '';
  expect(of('model train')).toMatch(/trained on fortnight[^]*onnx +200 of[^]*trained on everything[^]*onnx +200 of/);
  // What the laptop said is what the cloud came to: the same window, with the same figures.
  expect(of('model evaluate')).toContain('churn as of 2024-02-12: offered\n  data check    PASS');
  const loss = /log loss (?<loss>0\.\d+) against the champion's/.exec(of('model evaluate'))?.groups?.['loss'];
  expect(loss).toBeDefined();
  const why = await typed(WHY);
  expect(why).toContain(`log loss ${loss} against`);
  // All that the rules of promotion ask for, by whoever has to say it.
  for (const gate of ['unit-tests', 'code-review', 'integration-tests', 'security-scan'])
    expect(why).toMatch(new RegExp(`${gate} +PASS `));
  expect(why).toMatch(/load +NOT_APPLICABLE /);
  expect(why).toContain('/example/churn/actions/runs/1001/attempts/1');
  expect(of('run start')).toContain(': offered');
  // A process for each line.
}, 600_000);
