import type { Digest } from '#domain/canonical/digest.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import { readPartition } from '#domain/prediction/reading.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import { readDocument } from '#ports/documents.ts';
import { definitionIn } from '#read-model/definitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPrediction } from '#read-model/predictions.ts';
import type { Cloud } from '../../cloud.ts';
import type { Context } from '../../context.ts';
import { freshName, operator, startExecution } from '../../executions.ts';
import { findRelease, parseReference } from '../../references.ts';
import { refuse, RefusedError } from '../../refusal.ts';

/** The release that an environment serves, with what it carries. */
export interface Served {
  readonly pointer: Pointer;
  readonly manifest: ReleaseManifest;
  readonly definition: ModelDefinition;
}

/** What an environment serves of a model; refused where it serves nothing. */
export async function servedIn(cloud: Cloud, model: string): Promise<Served> {
  const pointer = await readPointer(cloud.ledger, model);
  if (pointer === undefined)
    return refuse(
      'release-served',
      `${cloud.environment} serves no release of ${model}`,
      `promote one: gatehouse promote ${model}@VERSION --to ${cloud.environment}`,
    );
  const manifest = await readDocument(cloud.releases, ReleaseManifest, pointer.current);
  const { definition } = await definitionIn(cloud.releases, manifest);
  return { pointer, manifest, definition };
}

/** The digest of the release that a reader names, of the model that it asks about. */
export async function namedRelease(
  context: Context,
  model: string,
  named: string | undefined,
): Promise<Digest | undefined> {
  if (named === undefined) return undefined;
  const found = await findRelease(context.cloud('dev').ledger, parseReference(named), [model]);
  if (found.model !== model)
    refuse('release-of-model', `${named} is a release of ${found.model}`, `name a release of ${model}`);
  return found.release;
}

/** A day's published partition, of the release that the reader means; refused, and perhaps recomputed, where it is not. */
export async function partitionFor(
  context: Context,
  cloud: Cloud,
  served: Served,
  day: string,
  release: Digest | undefined,
): Promise<PredictionManifest> {
  const manifest = await findPrediction(cloud.ledger, served.pointer.model, day);
  return checkReading(context, cloud, served, day, manifest, release);
}

/** Holds what was read against the release that the reader means. */
export async function checkReading(
  context: Context,
  cloud: Cloud,
  { pointer, definition }: Served,
  day: string,
  manifest: PredictionManifest | undefined,
  release: Digest | undefined,
): Promise<PredictionManifest> {
  const { onMismatch } = definition.predictions;
  const reading = readPartition(manifest, { day, release, served: pointer.current, onMismatch });
  if (reading.kind === 'published') return reading.manifest;
  if (reading.kind === 'mismatch' && reading.recompute) await startRecompute(context, cloud, pointer.model);
  throw new RefusedError(reading.refusal);
}

/** Starts a batch run for a reader who found another release's predictions; says so. */
async function startRecompute(context: Context, cloud: Cloud, model: string): Promise<void> {
  const name = freshName(model, 'batch-mismatch');
  await startExecution(cloud, 'batch-inference', name, {
    model,
    run: name,
    trigger: `mismatch:${await operator(cloud)}`,
  });
  context.note(
    `run ${name} has begun, because the model says recompute: gatehouse run watch ${model} ${name} --machine batch-inference --env ${cloud.environment}`,
  );
}
