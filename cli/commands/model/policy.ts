import type { Policy, PolicyFloor } from '#domain/policy/policy.ts';
import { compilePolicy, readFloor } from '#model/compile-deployment.ts';
import type { Context } from '../../context.ts';

/** The organisation's floor. */
export function compileFloor({ governance }: Pick<Context, 'governance'>): Promise<PolicyFloor> {
  return readFloor(governance);
}

/** A model's policy, as deployment compiles it: the organisation's floor, tightened by the model's own file. */
export async function compilePolicyOf(context: Pick<Context, 'governance'>, folder: string): Promise<Policy> {
  return compilePolicy(folder, await compileFloor(context));
}
