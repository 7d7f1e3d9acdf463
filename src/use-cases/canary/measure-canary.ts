import { z } from 'zod';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { closedUntil } from '#domain/prediction/request-log.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Clock } from '#ports/clock.ts';
import { writeDocument } from '#ports/documents.ts';
import type { FeatureEngine } from '#ports/feature-engine.ts';
import type { RequestStore } from '#ports/request-log.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const MeasureCanary = contract({
  input: z.object({
    model: z.string(),
    /** Minutes count that begin at it or later. */
    from: z.iso.datetime(),
    /** The canary's pointer: requests by an older one are none of it. Null where all count, as before a canary. */
    sincePointerSeq: z.int().nullable(),
    /** Minutes after its end when a minute counts. */
    closeMinutes: z.int().nonnegative(),
    /** Milliseconds that the model promises; null where it promises none. */
    objectiveMs: z.number().nullable(),
  }),
  output: z.object({
    minutes: Digest,
    /** The end of the last closed minute. */
    until: z.iso.datetime(),
    requests: z.int().nonnegative(),
  }),
});

/**
 * Counts what each arm answered in the closed minutes of the request log. Any day of events may have been asked for in them, in a replay of
 * history an old one, but no day that has not come.
 */
export function measureCanary(deps: {
  readonly engine: Pick<FeatureEngine, 'countArms'>;
  readonly requests: Pick<RequestStore, 'days' | 'fetch' | 'fetchFailed'>;
  readonly documents: Pick<ArtifactStore, 'write'>;
  readonly clock: Clock;
}): Task {
  return MeasureCanary.task(({ model, from, sincePointerSeq, closeMinutes, objectiveMs }) =>
    withFolder(async (folder) => {
      const until = closedUntil(deps.clock.now(), closeMinutes).toISOString();
      const since = new Date(from);
      const days = (await deps.requests.days(model)).filter((day) => day <= until.slice(0, 10));
      const [failed, ...requests] = await Promise.all([
        deps.requests.fetchFailed(model, folder, since),
        ...days.map((day) => deps.requests.fetch(model, day, folder, since)),
      ]);
      const counted = { requests: requests.flat(), failed, from, until, sincePointerSeq, objectiveMs };
      const minutes = await deps.engine.countArms(counted);
      return {
        minutes: await writeDocument(deps.documents, CanaryMinutes, { formatVersion: 1, model, from, until, minutes }),
        until,
        requests: minutes
          .flatMap(({ candidate, control, champion }) => [candidate, control, champion])
          .reduce((sum, arm) => sum + (arm?.requests ?? 0), 0),
      };
    }),
  );
}
