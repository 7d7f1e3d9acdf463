import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { AnsweredDay, AnswersPlan } from '#domain/prediction/answers.ts';
import { readDocument } from '#ports/documents.ts';
import type { RequestFiles } from '#ports/request-log.ts';
import type { Building } from '#use-cases/data/build-partitions.ts';
import { fetchPartitions, withFolder } from '#use-cases/data/local-files.ts';
import { codeOf, messageOf } from '#use-cases/each.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const MeasureAnswers = contract({
  /** Null where the model answers no requests. */
  input: z.object({ answers: z.object({ plan: Digest.nullable() }) }),
  output: z.object({
    days: z.array(AnsweredDay),
    /** Why they are not measured; empty where they are, and where the model answers no requests. */
    reason: z.string(),
  }),
});

/**
 * Joins what endpoints answered with the labels that have arrived since, and with the batch of their day. It throws nothing: answers that are
 * not measured keep a release from being confirmed, and nothing else of a review from being done.
 */
export function measureAnswers(deps: Building & { readonly requests: RequestFiles }): Task {
  return MeasureAnswers.task(({ answers }) =>
    withFolder(async (folder) => {
      if (answers.plan === null) return { days: [], reason: '' };
      const plan = await readDocument(deps.documents, AnswersPlan, answers.plan);
      const definition = await readDocument(deps.releases, ModelDefinition, plan.definition);
      try {
        const logged = plan.days.map(async ({ day }) =>
          (await deps.requests.fetch(plan.model, day, folder)).map((file) => ({ day, file })),
        );
        const published = plan.days.flatMap(({ day, predictions }) =>
          predictions === null
            ? []
            : [
                deps.lake
                  .fetch('predictions', plan.model, predictions.digest, folder)
                  .then((file) => ({ day, release: predictions.release, file })),
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
        // Whatever it is: a release that is clearly worse by what it published is rolled back all the same.
        return { days: [], reason: `${codeOf(error)}: ${messageOf(error)}`.slice(0, 300) };
      }
    }),
  );
}
