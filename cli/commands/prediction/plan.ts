import { z } from 'zod';
import { FEATURE_ENGINE, SCORER } from '#domain/data/engines.ts';
import { ModelName } from '#domain/model/definition.ts';
import { waitingText } from '#domain/prediction/blocked.ts';
import { planPredictions, type PlannedPredictions } from '#domain/prediction/desired.ts';
import { type Estimate, estimateRun, type PastRun } from '#domain/prediction/estimate.ts';
import type { Cloud } from '../../cloud.ts';
import type { Run } from '../../context.ts';
import { partitionsOf, predictionsOf, type Run as BatchRun, runsOf } from '../../read.ts';
import { duration, type Report } from '../../report.ts';
import { servedIn } from './read.ts';

export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName }));
  const environment = context.environment(['staging', 'prod']);
  context.print(await planReport(context.cloud(environment), model));
};

/** What a batch run that began now would do, and what it would take: planned by the same rules, and nothing is changed. */
export async function planReport(cloud: Cloud, model: string): Promise<Report> {
  const { ledger } = cloud;
  const { pointer, manifest, definition } = await servedIn(cloud, model);
  const [events, labels, manifests, runs] = await Promise.all([
    partitionsOf(ledger, model, 'events'),
    partitionsOf(ledger, model, 'labels'),
    predictionsOf(ledger, model),
    runsOf(ledger, model),
  ]);
  const planned = planPredictions({
    definition,
    release: pointer.current,
    schema: manifest.schemas.output,
    engine: FEATURE_ENGINE,
    scorer: SCORER,
    catalogue: [...events, ...labels],
    manifests,
  });
  return reportOf(model, cloud.environment, planned, estimateRun(planned.plan, pastRuns(runs)));
}

/** The batch runs that ended, by what they published and how long they took. */
function pastRuns(runs: readonly BatchRun[]): PastRun[] {
  return runs.flatMap(({ machine, startedAt, endedAt, published = 0 }) => {
    if (machine !== 'batch-inference' || startedAt === undefined || endedAt === undefined) return [];
    return [{ partitions: published, seconds: (Date.parse(endedAt) - Date.parse(startedAt)) / 1000 }];
  });
}

function reportOf(
  model: string,
  environment: string,
  { plan, waiting }: PlannedPredictions,
  estimate: Estimate,
): Report {
  return {
    data: { model, environment, ...plan, waiting, estimate },
    sections: [
      {
        title: `${model} in ${environment}: ${plan.kind}: ${plan.toScore} of ${plan.partitions.length} partitions, about ${plan.rows} rows${inWords(plan.toScore, estimate)}`,
        columns: ['day', 'action', 'because', 'rows'],
        rows: plan.partitions
          .filter(({ action }) => action !== 'keep')
          .map(({ day, action, reasons, rows }) => [
            day,
            action,
            reasons.join(', '),
            rows === null ? 'unknown' : String(rows),
          ]),
        empty: 'everything is as it should be',
      },
      ...(waiting.length === 0 ? [] : [{ title: 'not yet', lines: waiting.map((each) => `  ${waitingText(each)}`) }]),
    ],
  };
}

function inWords(toScore: number, { seconds, dollars }: Estimate): string {
  if (toScore === 0) return '';
  if (seconds === null || dollars === null) return '; no run has ended yet that its time could be estimated from';
  return `; about ${duration(seconds * 1000)}, at most ${dollars.toFixed(4)} USD by AWS's list prices`;
}
