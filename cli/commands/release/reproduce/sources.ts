import { execFileSync } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { readObject } from '#adapters/aws/artifact-store.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import type { CataloguePartition } from '#domain/data/feature-plan.ts';
import { partitionDigest } from '#domain/data/partition.ts';
import { TrainingInputs } from '#domain/data/training-inputs.ts';
import { fileOf, type ReleaseManifest } from '#domain/release/manifest.ts';
import { trainingDigest } from '#model/compile.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { readPartitionVersions } from '#read-model/partitions.ts';
import type { Cloud } from '../../../cloud.ts';
import { refuse } from '../../../refusal.ts';

/** Copies the partitions that a manifest names into a folder, each byte hashed, and gives them as the planner knows them. */
export async function fetchInputs(
  cloud: Cloud,
  store: ArtifactStore,
  { model, data }: ReleaseManifest,
  folder: string,
): Promise<readonly CataloguePartition[]> {
  if (data.inputs === undefined) return refuse('inputs-named', 'the manifest names no input partitions');
  const inputs = await readDocument(store, TrainingInputs, data.inputs);
  const admitted = await readPartitionVersions(cloud.ledger, model);
  const known = new Map(
    admitted.map((partition) => [`${partition.kind} ${partition.day} ${partition.digest}`, partition]),
  );
  const found: CataloguePartition[] = [];
  for (const { kind, day, digest } of inputs.partitions) {
    const partition = known.get(`${kind} ${day} ${digest}`);
    if (partition === undefined)
      return refuse(
        'partitions-there',
        `${kind} of ${day} as ${digest} was never admitted here`,
        'use the environment that trained it',
      );
    const home = join(folder, kind, `dt=${day}`);
    await mkdir(home, { recursive: true });
    const objects = [];
    for (const object of partition.objects) {
      const { bucket, key: from, versionId, sha256 } = object;
      const content = await readObject(cloud.s3, bucket, from, versionId === 'null' ? undefined : versionId);
      if (content === undefined || digestOf(content) !== sha256)
        return refuse('partitions-there', `${from} of ${bucket} is gone or is other bytes`, 'restore its version');
      const key = join(home, basename(from));
      await writeFile(key, content);
      objects.push({ ...object, key });
    }
    // What is about to be read is what the manifest names, whatever the ledger says of it.
    if (partitionDigest(objects) !== digest)
      return refuse('partitions-there', `${kind} of ${day} is not ${digest}`, 'verify the ledger: gatehouse fsck');
    found.push({ kind, day, version: 1, digest, objects });
  }
  return found;
}

/** Writes the release's own SQL, and puts its training program beside it, as its digest names it. */
export async function fetchProgram(
  store: ArtifactStore,
  manifest: ReleaseManifest,
  paths: { readonly daily: string; readonly features: string },
  own: string,
  folder: string,
): Promise<{ readonly from: string }> {
  for (const [path, file] of [
    [paths.daily, 'features/daily.sql'],
    [paths.features, 'features/features.sql'],
  ] as const) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), await store.read(fileOf(manifest, file).sha256));
  }
  const wanted = manifest.training.code;
  if ((await trainingDigest(own)) === wanted) {
    await cp(join(own, 'training'), join(folder, 'training'), { recursive: true });
    return { from: 'the working tree, whose program has the same digest' };
  }
  const { commit } = manifest.code;
  await fromCommit(commit, own, folder);
  const digest = await trainingDigest(folder);
  if (digest === wanted) return { from: `commit ${commit}` };
  return refuse(
    'code-known',
    `the program of ${commit} is ${digest}, not ${wanted}`,
    'find the tree that was deployed',
  );
}

/** The training program of a model as a commit had it. */
async function fromCommit(commit: string, own: string, folder: string): Promise<void> {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', own, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  const tree = join(folder, 'tree');
  try {
    const root = git('rev-parse', '--show-toplevel');
    git('worktree', 'add', '--quiet', '--detach', tree, commit);
    await cp(join(tree, relative(root, own), 'training'), join(folder, 'training'), { recursive: true });
    git('worktree', 'remove', '--force', tree);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    refuse(
      'code-known',
      `commit ${commit} cannot be checked out: ${why}`,
      'fetch it, or deploy from a tree without changes',
    );
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}
