import type { ServingRule } from '#domain/policy/serving.ts';

/** The floor's rule. */
export const SERVING: ServingRule = {
  errors: { rate: 0.05, minutes: 5, minimumCount: 5 },
  latency: { factor: 2, share: 0.01, minutes: 10, minimumCount: 5 },
  health: { failures: 3 },
  confidence: 0.95,
  hoursBetweenRollbacks: 24,
};
