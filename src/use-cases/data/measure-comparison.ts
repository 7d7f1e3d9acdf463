import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { BuiltBatch, causesIn } from '#domain/data/build-refusals.ts';
import { ComparisonPlan } from '#domain/comparison/plan.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { StoredMeasure } from '#domain/comparison/measure.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { BuiltKind } from '#ports/lake.ts';
import { contract, type Task } from '#use-cases/task.ts';
import type { Building } from './build-partitions.ts';
import { fetchPartitions, memoised, whyNotHad, withFolder } from './local-files.ts';

const Slice = z.enum(['selection', 'test', 'fast', 'slow', 'live']);

/** A comparison of a candidate with the champion that was planned, by its plan. */
export const ComparisonToMeasure = z.object({ candidate: Digest, slice: Slice, comparison: Digest });

/** The same, by what was measured. */
export const MeasuredComparison = z.object({ candidate: Digest, slice: Slice, measure: Digest });

export const MeasureComparison = contract({
  input: z.object({
    /** What came of scoring: why predictions are missing, where they are. */
    scores: z.array(BuiltBatch).default([]),
    comparisons: z.array(ComparisonToMeasure),
  }),
  output: z.discriminatedUnion('status', [
    z.object({
      status: z.literal('measured'),
      comparisons: z.array(MeasuredComparison),
      /** The measure of the test days, where these were compared. */
      measure: Digest.exactOptional(),
    }),
    z.object({ status: z.literal('insufficient'), reasons: z.array(z.string()), comparisons: z.array(z.never()) }),
  ]),
});

/** Why what was planned could not be measured, in one sentence; undefined where it was measured. */
export function whyUnmeasured(reasons: readonly string[]): string | undefined {
  return reasons.length === 0 ? undefined : `not measured: ${reasons.join('; ')}`;
}

/** Joins the predictions of both models with the labels that came true, and leaves sums per day as an object by digest. */
export function measureComparison(deps: Building): Task {
  return MeasureComparison.task(({ comparisons, scores }) =>
    withFolder(async (folder) => {
      const lake = memoised(deps.lake);
      const measured = [];
      for (const { candidate, slice, comparison } of comparisons) {
        const result = await measure({ ...deps, lake }, comparison, folder);
        if ('reasons' in result) {
          const reasons = [...causesIn(scores, 'predictions'), ...result.reasons];
          return { status: 'insufficient', reasons, comparisons: [] };
        }
        measured.push({ candidate, slice, measure: result.measure });
      }
      const test = measured.find(({ slice }) => slice === 'test');
      return { status: 'measured', comparisons: measured, ...(test === undefined ? {} : { measure: test.measure }) };
    }),
  );
}

async function measure(
  deps: Building,
  digest: Digest,
  folder: string,
): Promise<{ readonly measure: Digest } | { readonly reasons: string[] }> {
  const plan = await readDocument(deps.documents, ComparisonPlan, digest);
  const definition = await readDocument(deps.releases, ModelDefinition, plan.definition);
  const fetchAll = (kind: BuiltKind, digests: readonly Digest[]): Promise<string[]> =>
    Promise.all(digests.map((of) => deps.lake.fetch(kind, plan.model, of, folder)));
  try {
    const result = await deps.engine.measureComparison({
      features: await fetchAll('features', plan.features),
      labels: await fetchPartitions(deps.lake, plan.labels, folder),
      champion: await fetchAll('predictions', plan.championPredictions),
      candidate: await fetchAll('predictions', plan.candidatePredictions),
      definition,
      cluster: plan.cluster,
      byDay: plan.byDay,
      slices: plan.slices,
      threshold: plan.threshold,
    });
    if (result.kind === 'refused') return { reasons: [`${result.refusal.rule}: ${result.refusal.found}`] };
    return { measure: await writeDocument(deps.documents, StoredMeasure, result.measure) };
  } catch (error) {
    // Features or predictions that were refused are not there: nothing can be said, which is not a pass.
    const reason = whyNotHad(error);
    if (reason === undefined) throw error;
    return { reasons: [reason] };
  }
}
