import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { StoredMeasure } from '#domain/comparison/measure.ts';
import { StabilityMeasure } from '#domain/drift/drift-work.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import {
  type Evaluated,
  evaluationReport,
  EvaluationReport,
  type InputDrift,
} from '#domain/report/evaluation-report.ts';
import { Explanation } from '#domain/report/explanation.ts';
import { ReportPlan } from '#domain/report/report-plan.ts';
import { readDocument, writeDocument, writeText } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const WriteReport = contract({
  input: z.object({
    plan: Digest,
    release: Digest,
    explanation: Digest,
    stability: z.object({ measure: Digest.nullable(), reason: z.string() }),
  }),
  output: z.object({ status: z.literal('written'), html: Digest, json: Digest }),
});

/** Writes a candidate's report twice, for people and for programs, beside the release: each an object by its digest. */
export function writeReport(deps: {
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
  /** The report as a page that needs nothing but itself; the same report has the same bytes. */
  readonly draw: (report: EvaluationReport) => Promise<string>;
}): Task {
  return WriteReport.task(async (of) => {
    const plan = await readDocument(deps.documents, ReportPlan, of.plan);
    const measure = async (digest: Digest) => await readDocument(deps.documents, StoredMeasure, digest);
    const evaluated: Evaluated[] = [];
    for (const { release, selection, test } of plan.candidates) {
      const manifest = await readDocument(deps.releases, ReleaseManifest, release);
      evaluated.push({ manifest, selection: await measure(selection.measure), test: await measure(test.measure) });
    }
    const report = evaluationReport({
      plan,
      release: of.release,
      definition: (await definitionOf(deps.releases, of.release)).definition,
      evaluated,
      drift: await driftOf(deps.documents, of.stability),
      explanation: await readDocument(deps.documents, Explanation, of.explanation),
    });
    const html = await writeText(deps.releases, await deps.draw(report));
    return { status: 'written', html, json: await writeDocument(deps.releases, EvaluationReport, report) };
  });
}

/** What was measured of the inputs, or why nothing was. */
async function driftOf(
  documents: ArtifactStore,
  { measure, reason }: z.output<typeof WriteReport.input>['stability'],
): Promise<InputDrift> {
  if (measure === null) return { status: 'insufficient', reason };
  const found = await readDocument(documents, StabilityMeasure, measure);
  return { status: 'measured', measure, rows: found.rows, inputs: found.inputs };
}
