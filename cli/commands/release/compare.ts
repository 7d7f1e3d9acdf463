import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { measureFiles } from '#adapters/duckdb/comparison-files.ts';
import { parseDocument } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { ComparisonRule } from '#domain/policy/policy.ts';
import { invalidComparison, judgeComparison } from '#domain/comparison/judge.ts';
import type { Context, Run } from '../../context.ts';
import { mustBeFile } from '../../given-files.ts';
import { refuse, UsageError } from '../../refusal.ts';
import { compileFloor, compilePolicyOf } from '../model/policy.ts';
import { comparisonReport } from './compare-view.ts';

const Input = z.object({
  labels: z.string(),
  champion: z.string(),
  candidate: z.string(),
  policy: z.string().optional(),
});

/** Judges two files of predictions by the rule that the gate uses; needs no account. */
export const run: Run = async (context) => {
  const { policy, ...files } = context.input(Input);
  const rule = await ruleOf(context, policy);
  for (const file of Object.values(files)) await mustBeFile(file);
  const result = await measureFiles(files);
  const judgement =
    result.kind === 'measured' ? judgeComparison(result.measure, rule) : invalidComparison(result.flaws, rule);
  context.print(comparisonReport(judgement, files));
  // Nothing was compared: who reads the exit code alone must not take that for a verdict.
  if (judgement.verdict === 'INVALID') refuse('comparison-valid', judgement.reason, judgement.change);
};

/** The rule of a policy.ts, the floor changed by a JSON file, or the floor; one that cannot be is a usage error. */
async function ruleOf(context: Pick<Context, 'governance'>, policy: string | undefined): Promise<ComparisonRule> {
  try {
    if (policy !== undefined) await mustBeFile(policy);
    if (policy === undefined) return (await compileFloor(context)).comparison;
    if (basename(policy) === 'policy.ts') return (await compilePolicyOf(context, dirname(resolve(policy)))).comparison;
    const { comparison } = await compileFloor(context);
    return parseDocument(ComparisonRule, overlaid(comparison, JSON.parse(await readFile(policy, 'utf8'))), policy);
  } catch (error) {
    // A policy that is no JSON, contradicts itself, or loosens the floor: the command was given something that it cannot use.
    if (error instanceof GatehouseError) throw new UsageError(error.message);
    if (error instanceof SyntaxError) throw new UsageError(`${String(policy)}: ${error.message}`);
    throw error;
  }
}

/** The floor's rule with the values of a file; objects are overlaid in their turn, and null takes away what may be left out. */
function overlaid(base: unknown, own: unknown): unknown {
  if (!isObject(base) || !isObject(own)) return own;
  const entries = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(own)) {
    if (value === null) entries.delete(key);
    else entries.set(key, overlaid(entries.get(key), value));
  }
  return Object.fromEntries(entries);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
