import type { Digest } from '#domain/canonical/digest.ts';
import { partitionsBetween } from '#domain/data/feature-plan.ts';
import { predictionDigest } from '#domain/data/feature-work.ts';
import type { AdmittedPartition } from '#domain/data/partition.ts';
import { AnswersPlan } from '#domain/prediction/answers.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { writeDocument } from '#ports/documents.ts';
import type { StoredDefinition } from '#read-model/definitions.ts';

/** Plans which answers of a model are measured, of some days of events; none where it answers no requests. */
export async function planAnswers(
  deps: { readonly documents: ArtifactStore },
  { source, catalogue }: { readonly source: StoredDefinition; readonly catalogue: readonly AdmittedPartition[] },
  days: readonly string[],
  published: readonly PredictionManifest[],
  labelsUntil: string,
): Promise<{ readonly plan: Digest | null }> {
  const [first] = days;
  if (source.definition.online === undefined || first === undefined) return { plan: null };
  const byDay = new Map(published.map((manifest) => [manifest.day, manifest]));
  const plan = await writeDocument(deps.documents, AnswersPlan, {
    formatVersion: 1,
    model: source.definition.name,
    definition: source.digest,
    days: days.map((day) => {
      const manifest = byDay.get(day);
      if (manifest === undefined) return { day, predictions: null };
      const { features, release, scorer } = manifest;
      return { day, predictions: { release, digest: predictionDigest(features, release, scorer) } };
    }),
    labels: partitionsBetween(catalogue, 'labels', { first, last: labelsUntil }).partitions.map(({ day, objects }) => ({
      day,
      objects,
    })),
  });
  return { plan };
}
