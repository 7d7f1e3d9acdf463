import { z } from 'zod';
import { canonicalJson, Digest } from '#domain/canonical/digest.ts';
import { Verdict } from '#domain/gates/gate.ts';
import { unkey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { type DeployedModels, deployedModel, policyDigest } from '#domain/model/deployed.ts';
import { Registration } from '#domain/release/registration.ts';
import { ReportPlan } from '#domain/report/report-plan.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Ledger } from '#ports/ledger.ts';
import { type Task, task } from '#use-cases/task.ts';

const Slice = z.enum(['selection', 'test']);
const Parameters = z.object({
  model: z.string(),
  run: z.string(),
  asOf: z.string(),
  champion: Digest,
  comparisons: z.array(z.object({ candidate: Digest, slice: Slice, comparison: Digest })),
  measured: z.array(z.object({ candidate: Digest, slice: Slice, measure: Digest })),
  gates: z.object({ verdict: Verdict, release: Digest.optional(), reasons: z.array(z.string()) }),
});

/** Writes down what the reports of a run's candidates are made from; what was not measured is reported by nobody. */
export function planReports(deps: {
  readonly ledger: Ledger;
  readonly documents: ArtifactStore;
  readonly deployed: DeployedModels;
}): Task {
  return task(Parameters, async ({ model, run, asOf, champion, comparisons, measured, gates }) => {
    const { policy, card } = deployedModel(deps.deployed, model);
    const versionOf = async (release: Digest): Promise<string | null> => {
      const item = await deps.ledger.get(keys.registration(model, release));
      return item === undefined ? null : unkey(Registration, item).version;
    };
    const candidates = [];
    for (const release of new Set(measured.map(({ candidate }) => candidate))) {
      const of = (slice: z.infer<typeof Slice>) => {
        const isIt = (each: { candidate: Digest; slice: string }) => each.candidate === release && each.slice === slice;
        return { comparison: comparisons.find(isIt)?.comparison, measure: measured.find(isIt)?.measure };
      };
      candidates.push({ release, version: await versionOf(release), selection: of('selection'), test: of('test') });
    }
    if (candidates.length === 0) return { status: 'nothing', reports: [] };
    const plan = ReportPlan.parse({
      formatVersion: 1,
      model,
      run,
      asOf,
      champion: { release: champion, version: await versionOf(champion) },
      policy: policyDigest(policy),
      rule: policy.comparison,
      ...(policy.costs === undefined ? {} : { costs: policy.costs }),
      ...(card === undefined ? {} : { card }),
      conclusion: { verdict: gates.verdict, chosen: gates.release ?? null, reasons: gates.reasons },
      candidates,
    });
    const { digest } = await deps.documents.write(new TextEncoder().encode(canonicalJson(plan)));
    return { status: 'planned', reports: candidates.map(({ release }) => ({ plan: digest, model, run, release })) };
  });
}
