import type { Digest } from '#domain/canonical/digest.ts';
import { deployedModel, type DeployedModels } from '#domain/model/deployed.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import type { FailedCondition } from '#domain/rollback-readiness/conditions.ts';
import { type ExaminedTarget, judgeReadiness } from '#domain/rollback-readiness/judge-readiness.ts';
import type { KeyPurpose } from '#domain/rollback-readiness/keys.ts';
import type { ReleaseObject } from '#domain/rollback-readiness/stored-objects.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import type { Clock } from '#ports/clock.ts';
import { readDocument } from '#ports/documents.ts';
import type { Keys } from '#ports/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import type { StoredVersions } from '#ports/stored-versions.ts';
import { readOperations } from '#read-model/policy.ts';
import { isBroken } from '#use-cases/verification/whole-release.ts';

export interface Examining {
  readonly ledger: ReadableLedger;
  readonly clock: Clock;
  readonly deployed: DeployedModels;
  /** Where this environment's releases are. */
  readonly own: ReadableStore;
  readonly versions: StoredVersions;
  readonly keys: Keys;
  /** The aliases of the account's keys. */
  readonly aliases: Readonly<Record<KeyPurpose, string>>;
}

/** What other functions have found of it: they run what this one must not. */
export type ReportedTarget = Pick<ExaminedTarget, 'checks' | 'data'>;

/** Looks at all that a rollback to a release would need, and says which conditions do not hold. */
export async function examineTarget(
  deps: Examining,
  model: string,
  release: Digest,
  reported: ReportedTarget,
): Promise<readonly FailedCondition[]> {
  const { retentionDays } = await readOperations(deps.ledger, deps.deployed, model);
  const isOnline = deployedModel(deps.deployed, model).definition.online !== undefined;
  const purposes: readonly KeyPurpose[] = isOnline ? ['signing', 'request log'] : ['signing'];
  const keys = await Promise.all(
    purposes.map(async (purpose) => {
      const alias = deps.aliases[purpose];
      return { purpose, alias, key: await deps.keys.describe(alias) };
    }),
  );
  const objects = await objectsOf(deps, release);
  return judgeReadiness({ ...reported, objects, keys, now: deps.clock.now(), retentionDays });
}

/** The objects of a release, its manifest first; of one whose manifest cannot be read, the manifest alone. */
async function objectsOf({ own, versions }: Examining, release: Digest): Promise<readonly ReleaseObject[]> {
  const objects: ReleaseObject[] = [{ path: 'the manifest', digest: release, stored: await versions.find(release) }];
  try {
    const { files } = await readDocument(own, ReleaseManifest, release);
    // One after the other: a model may have hundreds of megabytes.
    for (const { path, sha256 } of files) objects.push({ path, digest: sha256, stored: await versions.find(sha256) });
  } catch (error) {
    if (!isBroken(error)) throw error;
  }
  return objects;
}
