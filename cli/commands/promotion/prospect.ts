import type { TargetEnvironment } from '#domain/policy/policy.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { type Prospect, readProspect } from '#read-model/prospect.ts';
import type { Context } from '../../context.ts';
import type { FoundRelease } from '../../references.ts';

/** What an environment knows of a release now, its latency by the objective of its own definition. */
export async function prospectOf(
  context: Context,
  { model, release }: FoundRelease,
  environment: TargetEnvironment,
): Promise<Prospect> {
  const { definition } = await definitionOf(context.cloud('dev').releases, release);
  const objectiveMs = definition.online?.objectiveMs ?? null;
  return readProspect(context.cloud(environment).ledger, { model, release, objectiveMs }, environment, context.now());
}
