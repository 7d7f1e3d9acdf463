import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';
import { type Policy, PolicyFloor } from '#domain/policy/policy.ts';
import { compilePolicy } from '#model/compile-deployment.ts';

const FLOOR = join(import.meta.dirname, '..', '..', '..', 'governance', 'policy.ts');

/** The organisation's floor. */
export async function compileFloor(): Promise<PolicyFloor> {
  const module: unknown = await import(pathToFileURL(FLOOR).href);
  return parseDocument(z.looseObject({ default: PolicyFloor }), module, 'governance/policy.ts').default;
}

/** A model's policy, as deployment compiles it: the organisation's floor, tightened by the model's own file. */
export async function compilePolicyOf(folder: string): Promise<Policy> {
  return compilePolicy(folder, await compileFloor());
}
