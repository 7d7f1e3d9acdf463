import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ModelCard } from '#domain/model/card.ts';
import { seenLine } from '#domain/text.ts';
import { DeployedModels, partsOf } from '#domain/model/deployed.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { Policy, PolicyFloor } from '#domain/policy/policy.ts';
import { tighten } from '#domain/policy/tighten.ts';
import { PolicyTightening } from '#domain/policy/tightening.ts';
import { parseDocument } from '#domain/canonical/digest.ts';
import { ExpectationSuite } from '#domain/data/data-check.ts';
import { GatehouseError } from '#domain/error.ts';
import { compileModel, compileModels } from './compile.ts';
import type { Config } from './config.ts';
import {
  assertConsistent,
  contradictionsIn,
  contradictionsOf,
  contradictionsWith,
  type DescribedModel,
  type SuiteColumns,
} from './consistency.ts';
import { importDefinition } from './import-definition.ts';
import { compileExpectations } from './suites.ts';

/**
 * Compiles every model below some folders, with its policy and its SQL, into what the functions of the pipeline read.
 * @throws GatehouseError `CONTRADICTION` where definitions, policies and configuration could never pass together
 */
export async function compileDeployment(
  root: string,
  config: Config,
  folders: readonly string[] = ['models'],
  commit = '',
  governance = join(root, 'governance'),
): Promise<DeployedModels> {
  const floor = await readFloor(governance);
  const models = [];
  const contradictions = [...contradictionsIn(config)];
  for (const folder of folders) {
    for (const definition of await compileModels(resolve(root, folder))) {
      const model = await compileParts(resolve(root, folder, definition.name), definition, floor);
      contradictions.push(...model.contradictions);
      models.push(model.parts);
    }
  }
  assertConsistent([...contradictions, ...contradictionsWith({ config, models })]);
  const deployed = commit === '' ? commitOf(root) : { commit };
  return DeployedModels.parse({ formatVersion: 1, ...deployed, models });
}

/**
 * Compiles one model's folder as if it alone were deployed.
 * @throws GatehouseError `CONTRADICTION`, or the code of a file that is not valid by itself
 */
export async function compileAlone(root: string, home: string, governance: string): Promise<DeployedModels> {
  const { parts, contradictions } = await compileParts(home, await compileModel(home), await readFloor(governance));
  assertConsistent(contradictions);
  return DeployedModels.parse({ formatVersion: 1, ...commitOf(root), models: [parts] });
}

async function compileParts(home: string, definition: ModelDefinition, floor: PolicyFloor) {
  const sql = [definition.features.daily.path, definition.features.features.path];
  const model = await describeModel(home, definition, floor);
  return {
    contradictions: contradictionsOf(model),
    parts: {
      definition,
      policy: model.policy,
      ...(await compileCard(home)),
      sql: Object.fromEntries(sql.map((path) => [path, readFileSync(join(home, path), 'utf8')])),
      expectations: compileExpectations(home),
    },
  };
}

/** The parts of a model's files as they would be deployed now. @throws GatehouseError where one of them is not valid */
export async function localParts(governance: string, home: string): Promise<ReturnType<typeof partsOf>> {
  const policy = await compilePolicy(home, await readFloor(governance));
  return partsOf({ definition: await compileModel(home), policy, expectations: compileExpectations(home) });
}

/** The organisation's floor, of a governance folder. @throws GatehouseError where it is not valid */
export async function readFloor(governance: string): Promise<PolicyFloor> {
  return parseDocument(PolicyFloor, await importDefault(join(governance, 'policy.ts')), 'governance/policy.ts');
}

/** A model with everything that may contradict it. @throws GatehouseError where a file of it is not valid by itself */
export async function describeModel(
  home: string,
  definition: ModelDefinition,
  floor: PolicyFloor,
): Promise<DescribedModel> {
  const suites = Object.entries(compileExpectations(home)).map(([kind, text]) => [kind, columnsOf(text)]);
  return {
    definition,
    policy: await compilePolicy(home, floor),
    own: await readTightening(home),
    suites: Object.fromEntries(suites) as DescribedModel['suites'],
  };
}

/** The columns that a suite is about, in the words of Great Expectations. */
function columnsOf(suite: string): SuiteColumns {
  const { expectations } = ExpectationSuite.parse(JSON.parse(suite));
  const texts = (value: unknown): readonly string[] =>
    (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'string');
  const isWhole = (type: string, kwargs: Readonly<Record<string, unknown>>): boolean =>
    (type === 'expect_table_columns_to_match_set' && kwargs['exact_match'] !== false) ||
    type === 'expect_table_columns_to_match_ordered_list';
  const named = expectations.flatMap(({ type, kwargs }) =>
    isWhole(type, kwargs)
      ? []
      : ['column', 'column_A', 'column_B', 'column_list', 'column_set'].flatMap((word) => texts(kwargs[word])),
  );
  return {
    named: [...new Set(named)],
    whole: expectations
      .filter(({ type, kwargs }) => isWhole(type, kwargs))
      .map(({ kwargs }) => texts(kwargs['column_set'] ?? kwargs['column_list'])),
  };
}

async function readTightening(home: string): Promise<PolicyTightening> {
  const file = join(home, 'policy.ts');
  if (!existsSync(file)) return {};
  return parseDocument(PolicyTightening, await importDefault(file), `models/${basename(home)}/policy.ts`);
}

/** A model's policy: the floor, tightened by `policy.ts` where the model has one. */
export async function compilePolicy(home: string, floor: PolicyFloor): Promise<Policy> {
  const own = await readTightening(home);
  return parseDocument(Policy, tighten(basename(home), floor, own), `models/${basename(home)}/policy.ts`);
}

/** A model's card, where it has a `card.ts`. @throws GatehouseError `BAD_DOCUMENT` naming the path and the allowed values */
export async function compileCard(home: string): Promise<{ readonly card?: ModelCard }> {
  const file = join(home, 'card.ts');
  if (!existsSync(file)) return {};
  return { card: parseDocument(ModelCard, await importDefault(file), `models/${basename(home)}/card.ts`) };
}

async function importDefault(file: string): Promise<unknown> {
  const module = (await importDefinition(file)) as { default?: unknown };
  if (module.default === undefined)
    throw new GatehouseError('NO_DEFAULT_EXPORT', `${file} has no default export`, { file });
  return module.default;
}

/** The commit that is deployed, and who wrote it; a tree with changes says so, because its releases cannot be rebuilt from a commit. */
function commitOf(root: string): Pick<DeployedModels, 'commit' | 'author'> {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const commit = git('rev-parse', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+changes');
    const author = seenLine(git('log', '-1', '--format=%ae'));
    return author === '' ? { commit } : { commit, author };
  } catch {
    return { commit: 'no-repository' };
  }
}
