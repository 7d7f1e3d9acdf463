import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
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
  const dev = context.cloud('dev');
  const { definition } = await definitionOf(s3ArtifactStore(dev.s3, dev.names.artifactBucket), release);
  const objectiveMs = definition.online?.objectiveMs ?? null;
  return readProspect(context.cloud(environment).ledger, { model, release, objectiveMs }, environment, context.now());
}
