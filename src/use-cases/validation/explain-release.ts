import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { ComparisonPlan } from '#domain/comparison/plan.ts';
import { GatehouseError } from '#domain/error.ts';
import { fileOf, ReleaseManifest } from '#domain/release/manifest.ts';
import { Explanation } from '#domain/report/explanation.ts';
import { ReportPlan } from '#domain/report/report-plan.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Lake } from '#ports/lake.ts';
import type { Scoring } from '#ports/scoring.ts';
import { definitionIn } from '#read-model/definitions.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const ExplainRelease = contract({
  /** `plan` is a report plan. */
  input: z.object({ plan: Digest, release: Digest }),
  output: z.object({ status: z.enum(['explained', 'unexplained']), explanation: Digest }),
});

interface Explaining {
  readonly scoring: Scoring;
  readonly lake: Lake;
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
}

/** Says how much each feature of a candidate matters on the test days, as a document by digest; or why nothing can be said. */
export function explainRelease(deps: Explaining): Task {
  return ExplainRelease.task(async ({ plan, release }) => {
    const explanation = await explain(deps, plan, release);
    const digest = await writeDocument(deps.documents, Explanation, explanation);
    return { status: explanation.status, explanation: digest };
  });
}

async function explain(deps: Explaining, planDigest: Digest, release: Digest): Promise<Explanation> {
  const { model, candidates } = await readDocument(deps.documents, ReportPlan, planDigest);
  const candidate = candidates.find((each) => each.release === release);
  if (candidate === undefined) throw new GatehouseError('NO_CANDIDATE', `${release} is no candidate of this run`);
  const { features } = await readDocument(deps.documents, ComparisonPlan, candidate.test.comparison);
  const manifest = await readDocument(deps.releases, ReleaseManifest, release);
  const { definition } = await definitionIn(deps.releases, manifest);
  const onnx = await deps.releases.read(fileOf(manifest, 'model.onnx').sha256);
  return withFolder(async (folder) => {
    const files = await Promise.all(features.map((of) => deps.lake.fetch('features', model, of, folder)));
    const loaded = await deps.scoring.withModel(onnx, definition, (scorer) => scorer.explain(files));
    const result = loaded.kind === 'done' ? loaded.value : loaded;
    return result.kind === 'explained'
      ? { formatVersion: 1, status: 'explained', importances: result.importances }
      : { formatVersion: 1, status: 'unexplained', reason: `${result.refusal.rule}: ${result.refusal.found}` };
  });
}
