import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ModelCard } from '#domain/model/card.ts';
import { DeployedModels } from '#domain/model/deployed.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { DataKind, Policy, PolicyFloor } from '#domain/policy/policy.ts';
import { type PolicyTightening, tighten } from '#domain/policy/tighten.ts';
import { canonicalJson, parseDocument } from '#domain/canonical/digest.ts';
import { ExpectationSuite } from '#domain/data/data-check.ts';
import { GatehouseError } from '#domain/error.ts';
import { compileModels } from './compile.ts';

/** Compiles every model below some folders, with its policy and its SQL, into what the functions of the pipeline read. */
export async function compileDeployment(
  root: string,
  folders: readonly string[] = ['models'],
): Promise<DeployedModels> {
  const floor = parseDocument(
    PolicyFloor,
    await importDefault(join(root, 'governance/policy.ts')),
    'governance/policy.ts',
  );
  const models = [];
  for (const folder of folders) {
    for (const definition of await compileModels(resolve(root, folder))) {
      const home = resolve(root, folder, definition.name);
      const sql = [definition.features.daily.path, definition.features.features.path];
      const policy = await compilePolicy(home, floor);
      checkPolicy(definition, policy);
      models.push({
        definition,
        policy,
        ...(await compileCard(home)),
        sql: Object.fromEntries(sql.map((path) => [path, readFileSync(join(home, path), 'utf8')])),
        expectations: compileExpectations(home, policy),
      });
    }
  }
  return DeployedModels.parse({ formatVersion: 1, commit: commitOf(root), models });
}

/** A model's policy: the floor, tightened by `policy.ts` where the model has one. */
export async function compilePolicy(home: string, floor: PolicyFloor): Promise<Policy> {
  const file = join(home, 'policy.ts');
  const own = existsSync(file) ? ((await importDefault(file)) as PolicyTightening) : {};
  return parseDocument(Policy, tighten(basename(home), floor, own), `models/${basename(home)}/policy.ts`);
}

/** A model's card, where it has a `card.ts`. @throws GatehouseError `BAD_DOCUMENT` naming the path and the allowed values */
export async function compileCard(home: string): Promise<{ readonly card?: ModelCard }> {
  const file = join(home, 'card.ts');
  if (!existsSync(file)) return {};
  return { card: parseDocument(ModelCard, await importDefault(file), `models/${basename(home)}/card.ts`) };
}

/**
 * The suites of a model's `expectations/`, as canonical JSON; those that the policy asks for are there.
 * @throws GatehouseError `BAD_DOCUMENT` naming the file and the path, or `EXPECTATIONS_MISSING`
 */
export function compileExpectations(home: string, { data }: Policy): Partial<Record<DataKind, string>> {
  const label = (kind: DataKind): string => `models/${basename(home)}/expectations/${kind}.json`;
  const file = (kind: DataKind): string => join(home, 'expectations', `${kind}.json`);
  const missing = (data?.expectations ?? []).filter((kind) => !existsSync(file(kind)));
  if (missing.length > 0) {
    const found = missing.map(label).join(' and ');
    const remedy = `the policy asks for a suite of ${(data?.expectations ?? []).join(', ')}`;
    throw new GatehouseError('EXPECTATIONS_MISSING', `${found}: no such file; ${remedy}`, { missing });
  }
  return Object.fromEntries(
    DataKind.options
      .filter((kind) => existsSync(file(kind)))
      .map((kind) => [
        kind,
        canonicalJson(parseDocument(ExpectationSuite, readJson(file(kind), label(kind)), label(kind))),
      ]),
  );
}

function readJson(file: string, label: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new GatehouseError('BAD_DOCUMENT', `${label} is no JSON: ${found}`, { file: label }, cause);
  }
}

/**
 * What only model and policy together can say: a policy names columns that every feature partition has, and nothing is
 * judged within days in which no label could arrive. @throws GatehouseError `BAD_DOCUMENT` naming the path and the allowed values
 */
export function checkPolicy(definition: ModelDefinition, { comparison, drift, transitions }: Policy): void {
  const { name, events, labels, features } = definition;
  const columns = ['day', events.entity, ...features.columns];
  const named = [
    ['comparison.cluster', comparison.cluster] as const,
    ...comparison.slices.columns.map((column) => ['comparison.slices.columns', column] as const),
  ];
  const issues = [
    ...named.flatMap(([path, column]) =>
      columns.includes(column) ? [] : [`${path}: ${column}, allowed: ${columns.join(', ')}`],
    ),
    ...(drift?.stable ?? []).flatMap((column) =>
      features.columns.includes(column) ? [] : [`drift.stable: ${column}, allowed: ${features.columns.join(', ')}`],
    ),
    ...Object.entries(transitions).flatMap(([transition, { probation }]) =>
      probation === undefined || probation.days > labels.matureAfterDays
        ? []
        : [
            `transitions.${transition}.probation.days: ${probation.days}, allowed: more than the ${labels.matureAfterDays} days after which labels are mature, or null for no probation`,
          ],
    ),
  ];
  if (issues.length > 0)
    throw new GatehouseError('BAD_DOCUMENT', `models/${name}/policy.ts is not valid: ${issues.join('; ')}`, { issues });
}

async function importDefault(file: string): Promise<unknown> {
  const module = (await import(pathToFileURL(file).href)) as { default?: unknown };
  if (module.default === undefined)
    throw new GatehouseError('NO_DEFAULT_EXPORT', `${file} has no default export`, { file });
  return module.default;
}

/** The commit that is deployed; a tree with changes says so, because its releases cannot be rebuilt from a commit. */
function commitOf(root: string): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+changes');
  } catch {
    return 'no-repository';
  }
}
