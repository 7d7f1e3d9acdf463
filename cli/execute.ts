import { type Environment, ENVIRONMENTS } from '#domain/environment/environment.ts';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { GatehouseError } from '#domain/error.ts';
import { ModelName } from '#domain/model/definition.ts';
import { type Config, defineConfig } from '#model/config.ts';
import { homeIn } from '#local/emulator/cloud.ts';
import type { CommandSpec, GlobalOptions } from './catalogue/spec.ts';
import { cloudOf, isolationNotice } from './cloud.ts';
import type { Context } from './context.ts';
import { EXIT, refuse, UsageError } from './refusal.ts';
import { failureOf } from './failure.ts';
import { render, type Report } from './report.ts';
import type { Terminal } from './terminal.ts';
import { seen } from '#domain/text.ts';

/** Runs a command and answers its exit code; nothing that a command throws gets past it. */
export async function execute(
  spec: CommandSpec,
  given: Readonly<Record<string, unknown>>,
  global: GlobalOptions,
  terminal: Terminal,
): Promise<number> {
  const { env, stdout, stderr } = terminal;
  const found: Report[] = [];
  try {
    const config = await loadedConfig(() => import('../gatehouse.config.ts'));
    const notice = isolationNotice(config);
    if (notice !== undefined) stderr.write(`${notice}\n`);
    const { run } = await spec.load();
    const context = {
      ...contextOf(config, given, global, terminal),
      print: (report: Report) => void found.push(report),
    };
    await mustKnowModel(spec, context, given['model'], global.env);
    await run(context);
    if (global.output === 'table' || found.length < 2)
      for (const report of found) stdout.write(`${render(report, global.output)}\n`);
    else stdout.write(`${render({ data: together(found), sections: [] }, global.output)}\n`);
    return EXIT.done;
  } catch (error) {
    const failure = failureOf(error);
    if (global.output === 'table') {
      for (const report of found) stdout.write(`${render(report, global.output)}\n`);
      stderr.write(`${seen(failure.lines.join('\n'))}\n`);
    } else {
      // A check that fails has found something first: a program reads that and the failure as one document.
      const data = { ...together(found), ...failure.data };
      stdout.write(`${render({ data, sections: [] }, global.output)}\n`);
    }
    if (failure.exitCode === EXIT.fault && env['GATEHOUSE_DEBUG'] !== undefined) console.error(error);
    return failure.exitCode;
  }
}

/** What a command found, piece by piece, as one document for programs. */
function together(found: readonly Report[]): object {
  return Object.assign({}, ...found.map(({ data }) => data)) as object;
}

/** The configuration, checked whether or not its file calls `defineConfig`; what is wrong with it is a refusal. */
export async function loadedConfig(load: () => Promise<{ readonly default: Config }>): Promise<Config> {
  try {
    return defineConfig((await load()).default);
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
    return refuse('config-valid', error.message);
  }
}

/** Before a command of a model does anything: to an unknown name every ledger answers that there is nothing. */
async function mustKnowModel(
  { args = '' }: CommandSpec,
  context: Context,
  model: unknown,
  env: string | undefined,
): Promise<void> {
  if (!/[<[]model[>\]]/.test(args) || !ModelName.safeParse(model).success) return;
  const { mustBeKnown } = await import('./references.ts');
  const environment = ENVIRONMENTS.find((each) => each === env && each !== 'control') ?? 'dev';
  await mustBeKnown(context, ModelName.parse(model), environment);
}

/** The organisation's own floor. */
const GOVERNANCE = join(import.meta.dirname, '../governance');

function contextOf(
  config: Config,
  given: Readonly<Record<string, unknown>>,
  global: GlobalOptions,
  terminal: Terminal,
): Context {
  const { stdout, stderr } = terminal;
  const home = homeIn(terminal.env);
  return {
    config,
    terminal,
    home,
    modelFolders: (global.models ?? ['models']).map((named) => resolve(named)),
    governance: global.governance === undefined ? GOVERNANCE : resolve(global.governance),
    profile: global.profile,
    wait: global.wait,
    isEnvironmentNamed: global.env !== undefined,
    now: () => new Date(),
    cloud: (environment) => cloudOf(config, environment, { home, profile: global.profile }),
    environment: (allowed, fallback) => chosenEnvironment(global.env, allowed, fallback),
    print: (report) => void stdout.write(`${render(report, global.output)}\n`),
    note: (text) => void stderr.write(`${seen(text)}\n`),
    async showing(title, work) {
      if (stdout.isTTY !== true || global.output !== 'table')
        return work((_picture, news) => news.forEach((line) => stderr.write(`${seen(line)}\n`)));
      const { drawn } = await import('./live.ts');
      return drawn(seen(title), (draw) => work((picture, news) => draw(picture.map(seen), news.map(seen))));
    },
    confirm: (question) => confirmed(question, global.yes === true, terminal),
    ask: (question, secret) => prompt(question, terminal, secret),
    input(schema) {
      const parsed = schema.safeParse(given);
      if (parsed.success) return parsed.data;
      throw new UsageError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
    },
  };
}

/** The environment that `--env` names. */
export function chosenEnvironment(
  named: string | undefined,
  allowed: readonly Environment[],
  fallback?: Environment,
): Environment {
  const wanted = named ?? fallback;
  const found = ENVIRONMENTS.find((environment) => environment === wanted);
  if (wanted === undefined) throw new UsageError(`name an environment: --env ${allowed.join('|')}`);
  if (found !== undefined && allowed.includes(found)) return found;
  throw new UsageError(`--env ${wanted}: expected ${allowed.join(', ')}`);
}

async function confirmed(question: string, yes: boolean, terminal: Terminal): Promise<void> {
  if (yes) return;
  if (terminal.stdin.isTTY !== true)
    throw new UsageError(`${question} Consent is needed: add --yes, or run it in a terminal`);
  const answer = await prompt(`${question} [y/N] `, terminal);
  if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError('nothing was done');
}

async function prompt(question: string, { stdin, stderr }: Terminal, secret = false): Promise<string> {
  if (stdin.isTTY !== true) throw new UsageError(`${question.trim()} is needed, and there is no terminal to ask in`);
  stderr.write(seen(question));
  // A secret is typed unseen: what readline would echo goes nowhere.
  const output = secret ? new Writable({ write: (_chunk, _encoding, done) => done() }) : stderr;
  const reader = createInterface({ input: stdin, output, terminal: true });
  try {
    return await reader.question('');
  } finally {
    reader.close();
    if (secret) stderr.write('\n');
  }
}
