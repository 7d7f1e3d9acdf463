import type { Environment } from '#domain/environment/environment.ts';
import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import { waitingForRefused, waitingText } from '#domain/prediction/blocked.ts';
import { type Estimate, estimateRun, type PastRun } from '#domain/prediction/estimate.ts';

import { readRuns, type Run as BatchRun } from '#read-model/runs.ts';
import type { Cloud } from '../../cloud.ts';
import type { Run } from '../../context.ts';
import { duration, type Report } from '../../report.ts';
import { refusalSections } from '../status/refusals.ts';
import { predictionLevel, type PredictionLevel } from './level.ts';

export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName }));
  const environment = context.environment(['staging', 'prod']);
  context.print(await planReport(context.cloud(environment), model, context.now()));
};

/** What a batch run that began now would do, and what it would take: planned by the same rules, and nothing is changed. */
export async function planReport(cloud: Cloud, model: string, now: Date): Promise<Report> {
  const [planned, runs] = await Promise.all([predictionLevel(cloud, model, now), readRuns(cloud.ledger, model)]);
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
  environment: Environment,
  { plan, waiting, refusals, level }: PredictionLevel,
  estimate: Estimate,
): Report {
  const about = { model, kind: 'predictions', since: '', resolvedAt: null } as const;
  const waitingRefused = waitingForRefused(waiting, refusals).map((each) => ({ ...about, ...each }));
  const days = new Set(waitingRefused.map(({ day }) => day));
  // A day that was refused when it was built is planned again: its data or its release may have changed since.
  const blocked = [
    ...waitingRefused,
    ...refusals.filter(({ kind, day }) => kind === 'predictions' && !days.has(day)),
  ].map((refusal) => ({ environment, ...refusal }));
  const others = waiting.filter(({ day }) => !days.has(day)).map((each) => `  ${waitingText(each)}`);
  return {
    data: { model, environment, ...plan, waiting: waiting.map(waitingText), blocked, level, estimate },
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
        empty: blocked.length + others.length === 0 ? 'everything is as it should be' : 'nothing can be scored now',
      },
      ...refusalSections('cannot be built or scored', blocked),
      ...(others.length === 0 ? [] : [{ title: 'not yet', lines: others }]),
    ],
  };
}

function inWords(toScore: number, { seconds, dollars }: Estimate): string {
  if (toScore === 0) return '';
  if (seconds === null || dollars === null) return '; no run has ended yet that its time could be estimated from';
  return `; about ${duration(seconds * 1000)}, at most ${dollars.toFixed(4)} USD by AWS's list prices`;
}
