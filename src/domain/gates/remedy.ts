import type { GateId, GateRemedy } from './gate.ts';
import { canaryPowerRemedy } from './gates/canary-power.ts';
import { canaryRemedy } from './gates/canary.ts';
import { shadowRemedy } from './gates/shadow.ts';
import { betterThanChampionRemedy } from './gates/better-than-champion.ts';
import { dataValidatedRemedy } from './gates/data-validated.ts';
import { codeReviewRemedy } from './gates/code-review.ts';
import { integrationTestsRemedy } from './gates/integration-tests.ts';
import { loadRemedy } from './gates/load.ts';
import { securityScanRemedy } from './gates/security-scan.ts';
import { unitTestsRemedy } from './gates/unit-tests.ts';
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
  'unit-tests': unitTestsRemedy,
  'code-review': codeReviewRemedy,
  'integration-tests': integrationTestsRemedy,
  load: loadRemedy,
  'security-scan': securityScanRemedy,
  'canary-power': canaryPowerRemedy,
  shadow: shadowRemedy,
  canary: canaryRemedy,
};
