import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { StoredMeasure } from '#domain/data/comparison-measure.ts';
import { betterThanChampion } from '#domain/gates/gates/better-than-champion.ts';
import { metricBaseline } from '#domain/gates/gates/metric-baseline.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import { whyInvalid } from '#domain/statistics/validity.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { type Task, untypedTask as task } from '#use-cases/task.ts';

const Parameters = z.object({
  model: z.string(),
  measured: z.object({
    status: z.string(),
    reasons: z.array(z.string()).optional(),
    comparisons: z.array(z.object({ candidate: Digest, slice: z.enum(['selection', 'test']), measure: Digest })),
  }),
});

/** Chooses among the candidates on the selection days, and judges the chosen one on the test days, which chose nobody. */
export function evaluateCandidates(deps: {
  readonly deployed: DeployedModels;
  readonly documents: ArtifactStore;
}): Task {
  return task(Parameters, async ({ model, measured }) => {
    const { comparison, transitions } = deployedModel(deps.deployed, model).policy;
    const read = async (digest: Digest) => await readDocument(deps.documents, StoredMeasure, digest);
    const choice: { candidate: Digest; loss: number; flaws: number }[] = [];
    const invalid = new Set(measured.reasons);
    for (const { candidate, slice, measure } of measured.comparisons) {
      if (slice !== 'selection') continue;
      const selection = await read(measure);
      const flaws = whyInvalid(selection, comparison);
      for (const reason of flaws) invalid.add(reason);
      const { clusters, comparedRows } = selection;
      const loss = clusters.reduce((sum, cluster) => sum + cluster.candidate.logLoss, 0) / comparedRows;
      if (Number.isFinite(loss)) choice.push({ candidate, loss, flaws: flaws.length });
    }
    // Rows without a valid prediction do not count in the loss: what is flawed is never chosen before what is whole.
    const [chosen] = choice.toSorted((a, b) => a.flaws - b.flaws || a.loss - b.loss);
    const test = measured.comparisons.find(
      ({ candidate, slice }) => candidate === chosen?.candidate && slice === 'test',
    );
    if (chosen === undefined || test === undefined) {
      return { verdict: 'INCONCLUSIVE', reasons: invalid.size > 0 ? [...invalid] : ['no candidate could be measured'] };
    }
    const measure = await read(test.measure);
    const results = [metricBaseline(measure, comparison), betterThanChampion(measure, comparison)];
    // What would pass provisionally is offered only where the next environment knows a probation.
    const verdicts = results.map(({ verdict, provisional }) =>
      provisional === true && transitions.staging.probation === undefined ? 'INCONCLUSIVE' : verdict,
    );
    const verdict = verdicts.includes('FAIL')
      ? 'FAIL'
      : verdicts.every((each) => each === 'PASS')
        ? 'PASS'
        : 'INCONCLUSIVE';
    return {
      verdict,
      release: chosen.candidate,
      measure: test.measure,
      improvement: results[1]?.numbers['improvement'] ?? 0,
      reasons: results.flatMap(({ reasons }) => reasons).map((reason) => reason.slice(0, 300)),
    };
  });
}
