import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { refusedSql } from '#adapters/duckdb/sql-check.ts';
import { digestOfJson } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { FaultCode } from '#domain/faults.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { compileCard, describeModel } from '#model/compile-deployment.ts';
import { compileModel } from '#model/compile.ts';
import { compileExpectations } from '#model/suites.ts';
import { contradictionsIn, contradictionsOf, contradictionText } from '#model/consistency.ts';
import type { Context } from '../../context.ts';
import { modelFolder } from '../../references.ts';
import { compileFloor, compilePolicyOf } from './policy.ts';

/** What compiling a model says. */
interface CheckedModel {
  readonly model: string;
  readonly definition: string | null;
  readonly policy: string | null;
  readonly errors: readonly string[];
}

/** Codes of what is wrong in a model's own files; anything else is a fault of the machine. */
const WRONG = new Set<FaultCode>(['BAD_MODEL', 'NO_DEFAULT_EXPORT', 'POLICY_LOOSENED', 'BAD_DOCUMENT']);

/**
 * Checks models as synthesis does: each file by itself, and whether they contradict each other or the configuration. Feature
 * SQL is inspected and run on empty tables as well, because what is refused then is refused for all days.
 */
export async function checkModels(
  context: Context,
  names: readonly string[],
): Promise<{ readonly models: readonly CheckedModel[]; readonly config: readonly string[] }> {
  const models: CheckedModel[] = [];
  for (const name of names) models.push(await checkModel(context, name, await modelFolder(context, name)));
  // What stands in one file for all models is said once.
  return { models, config: contradictionsIn(context.config).map(contradictionText) };
}

/** Everything that is wrong, in the order in which it was found. */
export function errorsOf({ models, config }: Awaited<ReturnType<typeof checkModels>>): readonly string[] {
  return [...models.flatMap(({ errors }) => errors), ...config];
}

async function checkModel(context: Pick<Context, 'governance'>, model: string, folder: string): Promise<CheckedModel> {
  const errors: string[] = [];
  const attempt = async <T>(compile: () => Promise<T>): Promise<T | null> => {
    try {
      return await compile();
    } catch (error) {
      if (!(error instanceof GatehouseError) || !WRONG.has(error.code)) throw error;
      errors.push(...error.message.split('\n'));
      return null;
    }
  };
  const definition = await attempt(() => compileModel(folder));
  const policy = await attempt(() => compilePolicyOf(context, folder));
  await attempt(() => compileCard(folder));
  const suites = await attempt(async () => compileExpectations(folder));
  if (definition !== null && policy !== null && suites !== null) {
    const described = await describeModel(folder, definition, await compileFloor(context));
    errors.push(...contradictionsOf(described).map(contradictionText));
  }
  if (definition !== null) errors.push(...(await sqlErrors(folder, definition)));
  const digest = (of: object | null): string | null => (of === null ? null : digestOfJson(of));
  return { model, definition: digest(definition), policy: digest(policy), errors };
}

async function sqlErrors(folder: string, definition: ModelDefinition): Promise<readonly string[]> {
  const { name, features } = definition;
  const read = ({ path }: { readonly path: string }): Promise<string> => readFile(join(folder, path), 'utf8');
  const sql = { daily: await read(features.daily), features: await read(features.features) };
  const refused = await refusedSql(definition, sql);
  return (['daily', 'features'] as const).flatMap((file) => {
    const { line, ...refusal } = refused[file] ?? {};
    if (!('rule' in refusal)) return [];
    return [
      `models/${name}/${features[file].path}${line === undefined ? '' : `:${line}`}: ${contradictionText(refusal)}`,
    ];
  });
}
