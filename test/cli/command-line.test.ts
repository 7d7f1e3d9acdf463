import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CATALOGUE } from '#cli/catalogue/index.ts';
import { loadedConfig } from '#cli/execute.ts';
import { main } from '#cli/program.ts';
import config from '../../gatehouse.config.ts';
import { silentTerminal } from '../_helpers/terminal.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');
const PROGRAM = join(import.meta.dirname, '../../cli/program.ts');
let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'gatehouse-cli-'));
});
afterAll(() => rm(home, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Types a command without any cloud. Whoever needs a process without credentials, or without the modules of before, starts one. */
async function gatehouse(...args: readonly string[]): Promise<Ended> {
  const terminal = silentTerminal({ GATEHOUSE_HOME: home });
  const code = await main(args, terminal);
  return { code, stdout: terminal.shown.out, stderr: terminal.shown.err };
}

/** Runs the command line as a person without any cloud and without credentials. */
function started(...args: readonly string[]): Promise<Ended> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    GATEHOUSE_HOME: home,
    AWS_EC2_METADATA_DISABLED: 'true',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
  };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

describe('the command line', () => {
  it('shows every command and loads none of their code for help', async () => {
    const { code, stdout } = await started('--help');
    expect(code).toBe(0);
    for (const { name } of CATALOGUE) expect(stdout).toContain(name.split(' ')[0]);
    // Help may import the catalogue and commander alone, which is why it is quick.
    const imports = (await readFile(PROGRAM, 'utf8')).matchAll(/^import (?!type).* from '(.+)';$/gm);
    expect([...imports].map(([, from]) => from)).toEqual(['commander', './catalogue/index.ts']);
  });

  it('gives examples with every command', () => {
    for (const { name, examples } of CATALOGUE) {
      expect(examples.length, name).toBeGreaterThan(0);
      for (const example of examples) expect(example).toContain(name);
    }
  });

  it('loads every command of the catalogue', async () => {
    for (const { load } of CATALOGUE) expect(typeof (await load()).run).toBe('function');
  });

  it.each([
    [['stat'], 2, 'Did you mean status?'],
    [['promote', 'churn@1.0.0'], 2, "required option '--to <environment>'"],
    [['promote', 'churn@1.0.0', '--to', 'moon'], 2, 'to: '],
    [['history', 'flight-delay', '--env', 'moon'], 2, '--env moon: expected dev, staging, prod'],
    [['history', 'flight-delay'], 2, 'name an environment: --env dev|staging|prod'],
    [['rollback', 'flight-delay', '--reason', 'wrong', '--env', 'dev'], 2, '--env dev: expected staging, prod'],
    [['deploy', 'moon'], 2, 'moon is no environment: expected dev, staging, prod, control'],
    [['status', '-o', 'xml'], 2, 'Allowed choices are table, json, yaml'],
    [['release', 'show', 'churn'], 2, 'churn names no release'],
    [['model', 'check', 'nothing'], 1, 'there is no model nothing; there are: flight-delay'],
  ])('ends %j with exit code %i', async (args, code, text) => {
    const ended = await gatehouse(...args);
    expect(ended.stderr).toContain(text);
    expect(ended).toMatchObject({ code, stdout: '' });
  });

  it('ends with the exit code of what it was asked, and says that there are no credentials', async () => {
    const ended = await started('status');
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no credentials for') });
    expect(await started('status', '-o', 'xml')).toMatchObject({ code: 2, stdout: '' });
  });

  it('says a failure as data where data was asked for', async () => {
    const { code, stdout } = await gatehouse('model', 'check', 'nothing', '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { kind: 'refused', rule: 'model-known' } });
  });

  it('says that the local cloud does not run', async () => {
    expect(await gatehouse('local', 'status')).toMatchObject({
      code: 0,
      stdout: 'stopped; start it: gatehouse local up\n',
    });
    expect(await gatehouse('local', 'down')).toMatchObject({ code: 0, stdout: 'the local cloud was not running\n' });
  });

  it('makes a model that compiles, once, and says what is wrong with one that does not', async () => {
    const models = await mkdtemp(join(import.meta.dirname, '../../.gatehouse/models-'));
    try {
      expect(await gatehouse('model', 'new', 'churn', '--models', models)).toMatchObject({ code: 0 });
      expect(await gatehouse('model', 'check', '--models', models)).toMatchObject({ code: 0, stderr: '' });
      const again = await gatehouse('model', 'new', 'churn', '--models', models);
      expect(again).toMatchObject({ code: 1 });
      expect(again.stderr).toContain('refused by model-new');
      const file = join(models, 'churn', 'model.ts');
      const valid = await readFile(file, 'utf8');
      // Each process reads the model as it stands: modules are imported once.
      // A horizon of ten days leaves two blocks of the fourteen that are tested on, and a probation without labels.
      await writeFile(file, valid.replace('matureAfterDays: 3', 'horizonDays: 10, matureAfterDays: 10'));
      const contradicting = await started('model', 'check', 'churn', '--models', models);
      expect(contradicting).toMatchObject({ code: 1, stderr: expect.stringContaining('refused by model-valid') });
      expect(contradicting.stdout).toMatch(/holdout-long-enough: .*\n.*probation-outlasts-labels: .*\n/);
      const deployed = await started('deploy', '--models', models);
      expect(deployed).toMatchObject({ code: 1, stdout: '' });
      expect(deployed.stderr).toMatch(/refused by model-valid\n +found: holdout-long-enough: .* probation-blocks: /);
      await writeFile(file, valid);
      const sql = join(models, 'churn', 'features', 'daily.sql');
      await writeFile(sql, 'SELECT customer,\n age(occurred_at) AS age FROM events');
      const undetermined = await gatehouse('model', 'check', 'churn', '--models', models);
      expect(undetermined.code).toBe(1);
      expect(undetermined.stderr).toMatch(
        /models\/churn\/features\/daily\.sql:2: .*function age with one moment; use age\(later, earlier\)/,
      );
      await writeFile(sql, 'SELECT customer,\n amnt FROM events');
      const suite = join(models, 'churn', 'expectations', 'labels.json');
      await writeFile(suite, (await readFile(suite, 'utf8')).replace('not_be_null', 'not_be_nul'));
      const broken = await gatehouse('model', 'check', 'churn', '--models', models);
      expect(broken.code).toBe(1);
      expect(broken.stdout).toMatch(
        /labels\.json:17: Great Expectations .* has no expect_column_values_to_not_be_nul; did you mean/,
      );
      expect(broken.stdout).toMatch(
        /daily\.sql:2: feature-sql-runs: .*"amnt" not found in FROM clause! There are "amount"/,
      );
      await writeFile(file, valid.replace('matureAfterDays: 3', 'matureAfterDays: -1'));
      const wrong = await started('model', 'check', 'churn', '--models', models);
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toMatch(/labels\.matureAfterDays: -1, allowed: /);
    } finally {
      await rm(models, { recursive: true });
    }
  });
});

describe('gatehouse.config.ts', () => {
  it('is checked as it is read, and refused with the field and the nearest known one', async () => {
    const written = { ...config, alert: config.alerts } as typeof config;
    await expect(loadedConfig(async () => ({ default: written }))).rejects.toMatchObject({
      refusal: {
        rule: 'config-valid',
        found: 'gatehouse.config.ts is not valid: (root): no field alert; did you mean alerts?',
      },
    });
    expect(await loadedConfig(async () => ({ default: config }))).toEqual(config);
  });
});
