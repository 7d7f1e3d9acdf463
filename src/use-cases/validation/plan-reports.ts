import { z } from 'zod';
import { Digest, parseDocument } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { featurePlanner } from '#domain/data/feature-plan.ts';
import { ComparisonPlan } from '#domain/comparison/plan.ts';
import type { AdmittedPartition } from '#domain/data/partition.ts';
import { StabilityPlan } from '#domain/drift/drift-work.ts';
import { referenceDays } from '#domain/drift/reference.ts';
import { Verdict } from '#domain/gates/gate.ts';
import { Day } from '#domain/model/definition.ts';
import { type DeployedModels, deployedModel, policyDigest } from '#domain/model/deployed.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import { ReportPlan } from '#domain/report/report-plan.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Ledger } from '#ports/ledger.ts';
import { definitionIn } from '#read-model/definitions.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { findRegistration } from '#read-model/registrations.ts';
import { ComparisonToMeasure, MeasuredComparison } from '#use-cases/data/measure-comparison.ts';
import { MeasureStability } from '#use-cases/drift/measure-stability.ts';
import { contract, type Task } from '#use-cases/task.ts';

/** A report to write: its plan names all candidates of the run, `release` the one that it is about. */
const ReportToWrite = z.object({
  plan: Digest,
  model: z.string(),
  run: z.string(),
  release: Digest,
  ...MeasureStability.input.shape,
});

export const PlanReports = contract({
  input: z.object({
    model: z.string(),
    run: z.string(),
    asOf: Day,
    champion: Digest,
    comparisons: z.array(ComparisonToMeasure),
    measured: z.array(MeasuredComparison),
    gates: z.object({ verdict: Verdict, release: Digest.optional(), reasons: z.array(z.string()) }),
  }),
  output: z.object({
    /** `nothing` where nothing was measured; then there are no reports. */
    status: z.enum(['planned', 'nothing']),
    reports: z.array(ReportToWrite),
  }),
});

interface Reporting {
  readonly ledger: Ledger;
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
  readonly deployed: DeployedModels;
  /** The version of the engine that builds features. */
  readonly engine: string;
}

/** Writes down what the reports of a run's candidates are made from; what was not measured is reported by nobody. */
export function planReports(deps: Reporting): Task {
  return PlanReports.task(async ({ model, run, asOf, champion, comparisons, measured, gates }) => {
    const { policy, card } = deployedModel(deps.deployed, model);
    const registered = (release: Digest) => findRegistration(deps.ledger, model, release);
    const candidates = [];
    for (const release of new Set(measured.map(({ candidate }) => candidate))) {
      const of = (slice: 'selection' | 'test') => {
        const isIt = (each: { candidate: Digest; slice: string }) => each.candidate === release && each.slice === slice;
        return { comparison: comparisons.find(isIt)?.comparison, measure: measured.find(isIt)?.measure };
      };
      const registration = await registered(release);
      if (registration === undefined)
        throw new GatehouseError('NOT_REGISTERED', `release ${release} is not registered`, { release });
      candidates.push({
        release,
        version: registration.version,
        dataCheck: registration.dataCheck ?? null,
        ...(registration.joins === undefined ? {} : { joins: registration.joins }),
        selection: of('selection'),
        test: of('test'),
      });
    }
    if (candidates.length === 0) return { status: 'nothing', reports: [] };
    const plan = parseDocument(
      ReportPlan,
      {
        formatVersion: 1,
        model,
        run,
        asOf,
        champion: { release: champion, version: (await registered(champion))?.version ?? null },
        policy: policyDigest(policy),
        rule: policy.comparison,
        ...(policy.costs === undefined ? {} : { costs: policy.costs }),
        ...(card === undefined ? {} : { card }),
        ...(policy.drift === undefined ? {} : { drift: policy.drift }),
        conclusion: { verdict: gates.verdict, chosen: gates.release ?? null, reasons: gates.reasons },
        candidates,
      },
      ReportPlan.document,
    );
    const digest = await writeDocument(deps.documents, ReportPlan, plan);
    const catalogue = await readCatalogue(deps.ledger, model);
    const reports = [];
    for (const { release, test } of plan.candidates) {
      const stability = await planStability(deps, catalogue, release, test.comparison);
      reports.push({ plan: digest, model, run, release, stability });
    }
    return { status: 'planned', reports };
  });
}

/** What the inputs of the test days are compared with: those of the last weeks that the candidate was trained on. */
async function planStability(
  deps: Reporting,
  catalogue: readonly AdmittedPartition[],
  release: Digest,
  comparison: Digest,
): Promise<{ readonly plan: Digest; readonly day: string }> {
  const { model, features } = await readDocument(deps.documents, ComparisonPlan, comparison);
  const manifest = await readDocument(deps.releases, ReleaseManifest, release);
  const source = await definitionIn(deps.releases, manifest);
  const featuresOf = featurePlanner(source.definition, deps.engine, catalogue);
  const reference = referenceDays(manifest.data.window).map(featuresOf);
  const plan = await writeDocument(deps.documents, StabilityPlan, {
    formatVersion: 1,
    model,
    definition: source.digest,
    reference: reference.flatMap((each) => (each.ready ? [each.digest] : [])),
    current: features,
  });
  return { plan, day: 'the test days' };
}
