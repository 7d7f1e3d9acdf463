import { z } from 'zod';

/** When the release that an endpoint serves is rolled back by itself. Each threshold must be proven: a lower bound stands above it. */
export const ServingRule = z.strictObject({
  /** Answers of the endpoint's API with a 5xx status, throttles and faults of what is no part of the release left out. Default: the floor’s. */
  errors: z.strictObject({
    /** Share of the requests that may fail, e.g. 0.05. A model may only lower it; default: the floor’s. */
    rate: z.number().gt(0).max(1),
    /** Minutes of requests that are counted, e.g. 5. The floor alone says so. */
    minutes: z.int().min(1).max(60),
    /** Failed requests below which nothing is rolled back, e.g. 5. The floor alone says so. */
    minimumCount: z.int().min(1),
  }),
  /** Answers that take longer than the baseline: the p99 of what was served before, or the model's objective. Default: the floor’s. */
  latency: z.strictObject({
    /** Factor of the baseline above which an answer is slow, e.g. 2. A model may only lower it; default: the floor’s. */
    factor: z.number().gt(1).max(100),
    /** Share of slow answers that is tolerated, e.g. 0.01: beyond it their p99 is above the factor. A model may only lower it; default: the floor’s. */
    share: z.number().gt(0).max(1),
    /** Minutes of answers that are counted, e.g. 10. The floor alone says so. */
    minutes: z.int().min(1).max(60),
    /** Slow answers below which nothing is rolled back, e.g. 5. The floor alone says so. */
    minimumCount: z.int().min(1),
  }),
  /** The golden request, which a probe sends each minute. Default: the floor’s. */
  health: z.strictObject({
    /** Failed probes in a row that roll back, e.g. 3. A model may only lower it; default: the floor’s. */
    failures: z.int().min(2).max(10),
  }),
  /** One-sided confidence that a share is above its threshold, as a probability, e.g. 0.95. The floor alone says so. */
  confidence: z.number().min(0.5).max(0.999),
  /** Hours after an automatic rollback within which there is no second one: people are paged instead; e.g. 24. The floor alone says so. */
  hoursBetweenRollbacks: z.number().min(1).max(720),
});
export type ServingRule = z.infer<typeof ServingRule>;
