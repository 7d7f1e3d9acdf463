import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { AnsweredDay, AnswersPlan } from '#domain/prediction/answers.ts';
import { readDocument } from '#ports/documents.ts';
import type { RequestFiles } from '#ports/request-log.ts';
import type { Building } from '#use-cases/data/build-partitions.ts';
import { fetchPartitions, whyNotHad, withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const MeasureAnswers = contract({
  /** Null where the model answers no requests. */
  input: z.object({ answers: z.object({ plan: Digest.nullable() }) }),
  output: z.object({
    days: z.array(AnsweredDay),
    /** Why they are not measured; empty where they are. */
    reason: z.string(),
  }),
});

/** Joins what endpoints answered with the labels that have arrived since, and with the batch of their day. */
export function measureAnswers(deps: Building & { readonly requests: RequestFiles }): Task {
  return MeasureAnswers.task(({ answers }) =>
    withFolder(async (folder) => {
      if (answers.plan === null) return { days: [], reason: 'the model answers no requests' };
      const plan = await readDocument(deps.documents, AnswersPlan, answers.plan);
      const definition = await readDocument(deps.releases, ModelDefinition, plan.definition);
      try {
        const logged = plan.days.map(async ({ day }) =>
          (await deps.requests.fetch(plan.model, day, folder)).map((file) => ({ day, file })),
        );
        const published = plan.days.flatMap(({ predictions }) =>
          predictions === null
            ? []
            : [
                deps.lake
                  .fetch('predictions', plan.model, predictions.digest, folder)
                  .then((file) => ({ release: predictions.release, file })),
              ],
        );
        const result = await deps.engine.measureAnswers({
          requests: (await Promise.all(logged)).flat(),
          labels: await fetchPartitions(deps.lake, plan.labels, folder),
          predictions: await Promise.all(published),
          definition,
        });
        if (result.kind === 'measured') return { days: [...result.days], reason: '' };
        return { days: [], reason: `${result.refusal.rule}: ${result.refusal.found}`.slice(0, 300) };
      } catch (error) {
        const reason = whyNotHad(error);
        if (reason === undefined) throw error;
        return { days: [], reason: reason.slice(0, 300) };
      }
    }),
  );
}
