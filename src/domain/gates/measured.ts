import type { ComparisonMeasure } from '../comparison/measure.ts';
import type { ComparisonRule } from '../policy/policy.ts';
import type { GateResult } from './gate.ts';
import { betterThanChampion } from './gates/better-than-champion.ts';
import { metricBaseline } from './gates/metric-baseline.ts';

/** The gates that judge nothing but a measurement by a rule, so that anybody can judge it again, by another rule as well. */
export const MEASURED_GATES = {
  'metric-baseline': metricBaseline,
  'better-than-champion': betterThanChampion,
} as const satisfies Record<string, (measure: ComparisonMeasure, rule: ComparisonRule) => GateResult>;
