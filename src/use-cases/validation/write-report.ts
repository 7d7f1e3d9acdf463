import { z } from 'zod';
import { canonicalJson, Digest, parseCanonical } from '#domain/canonical/digest.ts';
import { StoredMeasure } from '#domain/data/comparison-measure.ts';
import { StabilityMeasure } from '#domain/drift/drift-work.ts';
import { openManifest } from '#domain/release/manifest.ts';
import {
  type Evaluated,
  type EvaluationReport,
  evaluationReport,
  type InputDrift,
} from '#domain/report/evaluation-report.ts';
import { Explanation } from '#domain/report/explanation.ts';
import { ReportPlan } from '#domain/report/report-plan.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { type Task, task } from '#use-cases/task.ts';

const Parameters = z.object({
  plan: Digest,
  release: Digest,
  explanation: Digest,
  stability: z.object({ measure: Digest.nullable(), reason: z.string() }),
});

/** Writes a candidate's report twice, for people and for programs, beside the release: each an object by its digest. */
export function writeReport(deps: {
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
  /** The report as a page that needs nothing but itself; the same report has the same bytes. */
  readonly draw: (report: EvaluationReport) => Promise<string>;
}): Task {
  return task(Parameters, async (of) => {
    const plan = parseCanonical(ReportPlan, await deps.documents.read(of.plan), 'report plan');
    const measure = async (digest: Digest) =>
      parseCanonical(StoredMeasure, await deps.documents.read(digest), 'comparison measure');
    const evaluated: Evaluated[] = [];
    for (const { release, selection, test } of plan.candidates) {
      const manifest = openManifest(await deps.releases.read(release));
      evaluated.push({ manifest, selection: await measure(selection.measure), test: await measure(test.measure) });
    }
    const report = evaluationReport({
      plan,
      release: of.release,
      definition: (await definitionOf(deps.releases, of.release)).definition,
      evaluated,
      drift: await driftOf(deps.documents, of.stability),
      explanation: parseCanonical(Explanation, await deps.documents.read(of.explanation), 'explanation'),
    });
    const write = async (text: string): Promise<Digest> =>
      (await deps.releases.write(new TextEncoder().encode(text))).digest;
    return { status: 'written', html: await write(await deps.draw(report)), json: await write(canonicalJson(report)) };
  });
}

/** What was measured of the inputs, or why nothing was. */
async function driftOf(
  documents: ArtifactStore,
  { measure, reason }: z.infer<typeof Parameters>['stability'],
): Promise<InputDrift> {
  if (measure === null) return { status: 'insufficient', reason };
  const found = parseCanonical(StabilityMeasure, await documents.read(measure), 'stability measure');
  return { status: 'measured', measure, rows: found.rows, inputs: found.inputs };
}
