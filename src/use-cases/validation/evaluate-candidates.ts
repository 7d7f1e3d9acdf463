import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { StoredMeasure } from '#domain/comparison/measure.ts';
import { betterThanChampion } from '#domain/gates/gates/better-than-champion.ts';
import { metricBaseline } from '#domain/gates/gates/metric-baseline.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import { whyInvalid } from '#domain/comparison/validity.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { MeasureComparison } from '#use-cases/data/measure-comparison.ts';
import { contract, type Task } from '#use-cases/task.ts';

/** The candidate that was chosen, and its measure on the test days. */
const Chosen = { release: Digest, measure: Digest };
const Reasons = { reasons: z.array(z.string()) };

export const EvaluateCandidates = contract({
  input: z.object({ model: z.string(), measured: MeasureComparison.output }),
  output: z.discriminatedUnion('verdict', [
    /** `improvement` is the share of the champion's log loss that it saves. */
    z.object({ verdict: z.literal('PASS'), ...Chosen, improvement: z.number(), ...Reasons }),
    z.object({ verdict: z.literal('FAIL'), ...Chosen, ...Reasons }),
    z.object({
      verdict: z.literal('INCONCLUSIVE'),
      release: Digest.exactOptional(),
      measure: Digest.exactOptional(),
      ...Reasons,
    }),
  ]),
});

/** Chooses among the candidates on the selection days, and judges the chosen one on the test days, which chose nobody. */
export function evaluateCandidates(deps: {
  readonly deployed: DeployedModels;
  readonly documents: ArtifactStore;
}): Task {
  return EvaluateCandidates.task(async ({ model, measured }) => {
    const { comparison, transitions } = deployedModel(deps.deployed, model).policy;
    const read = async (digest: Digest) => await readDocument(deps.documents, StoredMeasure, digest);
    const choice: { candidate: Digest; loss: number; flaws: number }[] = [];
    const invalid = new Set(measured.status === 'insufficient' ? measured.reasons : []);
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
    const better = betterThanChampion(measure, comparison);
    const results = [metricBaseline(measure, comparison), better];
    // What would pass provisionally is offered only where the next environment knows a probation.
    const verdicts = results.map(({ verdict, provisional }) =>
      provisional === true && transitions.staging.probation === undefined ? 'INCONCLUSIVE' : verdict,
    );
    const found = {
      release: chosen.candidate,
      measure: test.measure,
      reasons: results.flatMap(({ reasons }) => reasons).map((reason) => reason.slice(0, 300)),
    };
    if (verdicts.includes('FAIL')) return { verdict: 'FAIL', ...found };
    const improvement = better.numbers['improvement'];
    // An offer names its improvement: what has none is not offered.
    return improvement !== undefined && verdicts.every((each) => each === 'PASS')
      ? { verdict: 'PASS', ...found, improvement }
      : { verdict: 'INCONCLUSIVE', ...found };
  });
}
