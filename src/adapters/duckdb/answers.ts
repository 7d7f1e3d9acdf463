import type { Digest } from '#domain/canonical/digest.ts';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { AnsweredDay } from '#domain/prediction/answers.ts';
import type { DayFile } from '#ports/feature-engine.ts';
import { logLoss, predictionOf } from './comparison-sums.ts';
import { literal, type Refused, rowsOf, withinMemory } from './database.ts';
import { loadLabels, source } from './inputs.ts';
import { rankLabels } from './label-joins.ts';
import { requestsIn } from './request-files.ts';

/**
 * Measures answers of an endpoint, each event by its first answer, on the labels of some files: for each day, arm and release how many
 * there are, how many have a label, their log loss, and how that of the batch is on the same events.
 */
export async function measureAnswers(input: {
  /** Files of the request log. */
  readonly requests: readonly DayFile[];
  readonly labels: readonly DayFile[];
  readonly predictions: readonly { readonly day: string; readonly release: Digest; readonly file: string }[];
  readonly definition: Pick<ModelDefinition, 'events' | 'labels'>;
}): Promise<{ readonly kind: 'measured'; readonly days: readonly AnsweredDay[] } | Refused> {
  const { requests, labels, predictions, definition } = input;
  if (requests.length === 0) return { kind: 'measured', days: [] };
  const about = () => `answers in ${requests.length} files of the request log`;
  const result = await withinMemory({ memory: ENGINE_MEMORY, about }, async (connection) => {
    const refusal = await loadLabels(connection, definition, labels);
    if (refusal !== undefined) return refusal;
    await rankLabels(connection, definition.labels);
    await connection.run('CREATE TABLE batch (day VARCHAR, id VARCHAR, release VARCHAR, q DOUBLE)');
    for (const { day, release, file } of predictions)
      await connection.run(
        `INSERT INTO batch SELECT ${literal(day)}, row_id, ${literal(release)}, ${predictionOf('prediction')} FROM ${source(file)}`,
      );
    return rowsOf(
      connection,
      `WITH answers AS (
         SELECT event.id AS id, day, arm, release, event.probability AS p FROM (
           SELECT request, day, arm, release, "startedAt" AS began, unnest(events) AS event
           FROM ${requestsIn(requests.map(({ file }) => file))})
         QUALIFY row_number() OVER (PARTITION BY day, event.id ORDER BY began, request) = 1
       ), known AS (
         SELECT day, arm, answers.release, p, q, q IS NOT NULL AND value IS NOT NULL AS is_paired, value
         FROM answers LEFT JOIN batch USING (day, id, release)
         LEFT JOIN (SELECT CAST(id AS VARCHAR) AS id, any_value(value) AS value FROM newest_labels GROUP BY ALL
                    HAVING count(DISTINCT value) = 1) USING (id)
         ORDER BY ALL
       )
       SELECT day, arm, release, count(*) AS answers, count(value) AS labelled,
              avg(${logLoss('p')}) FILTER (value IS NOT NULL) AS loss,
              count(*) FILTER (is_paired) AS paired,
              avg(${logLoss('p')}) FILTER (is_paired) AS own, avg(${logLoss('q')}) FILTER (is_paired) AS batch,
              count(*) FILTER (q IS DISTINCT FROM p AND q IS NOT NULL) AS different
       FROM known GROUP BY ALL ORDER BY ALL`,
    );
  });
  if (!Array.isArray(result)) return 'kind' in result ? result : { kind: 'refused', refusal: result };
  const days = result.map(({ own, batch, ...row }) =>
    AnsweredDay.parse({
      ...row,
      pairedLoss: own === null ? null : { answers: own, batch },
    }),
  );
  return { kind: 'measured', days };
}
