import type { GateId, GateRemedy } from './gate.ts';
import { betterThanChampionRemedy } from './gates/better-than-champion.ts';
import { dataValidatedRemedy } from './gates/data-validated.ts';
import { metricBaselineRemedy } from './gates/metric-baseline.ts';
import { releaseIntegrityRemedy } from './gates/release-integrity.ts';
import { releasedUpstreamRemedy } from './gates/released-upstream.ts';

/** What would turn the verdict of each gate. */
export const GATE_REMEDIES: Readonly<Record<GateId, GateRemedy>> = {
  'released-upstream': releasedUpstreamRemedy,
  'data-validated': dataValidatedRemedy,
  'release-integrity': releaseIntegrityRemedy,
  'metric-baseline': metricBaselineRemedy,
  'better-than-champion': betterThanChampionRemedy,
};
