import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { Day } from '#domain/model/definition.ts';
import { LatencyBaseline, latencyBaseline } from '#domain/promotion/latency.ts';
import type { FeatureEngine } from '#ports/feature-engine.ts';
import type { RequestFiles } from '#ports/request-log.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { codeOf, messageOf } from '#use-cases/each.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const MeasureLatency = contract({
  input: z.object({
    model: z.string(),
    plan: z.object({
      objectiveMs: z.number().nullable(),
      champion: Digest.nullable(),
      days: z.array(Day),
      from: z.iso.datetime(),
      until: z.iso.datetime(),
    }),
  }),
  output: z.object({
    /** Null where the release answers no requests. */
    baseline: LatencyBaseline.nullable(),
    /** Why the champion's answers were not measured; empty where they were, and where there is none. */
    reason: z.string(),
  }),
});

/**
 * Measures what the latency of a release is compared with. It throws nothing: where the champion's answers cannot be read the model's
 * objective stands, and nobody waits for a release because of it.
 */
export function measureLatency(deps: {
  readonly engine: Pick<FeatureEngine, 'measureLatency'>;
  readonly requests: RequestFiles;
}): Task {
  return MeasureLatency.task(({ model, plan }) =>
    withFolder(async (folder) => {
      const { objectiveMs, champion: release, days, from, until } = plan;
      if (objectiveMs === null) return { baseline: null, reason: '' };
      if (release === null) return { baseline: latencyBaseline(objectiveMs, undefined), reason: '' };
      try {
        const files = await Promise.all(days.map((day) => deps.requests.fetch(model, day, folder, new Date(from))));
        const measured = await deps.engine.measureLatency({ requests: files.flat(), release, from, until });
        return { baseline: latencyBaseline(objectiveMs, measured), reason: '' };
      } catch (error) {
        const reason = `${codeOf(error)}: ${messageOf(error)}`.slice(0, 300);
        return { baseline: latencyBaseline(objectiveMs, undefined), reason };
      }
    }),
  );
}
