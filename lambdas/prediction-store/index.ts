// Without this function the store of predictions would drift away from the pointer: it plans what must be recomputed and
// flips manifests, under the pointer's epoch and the run's fence.
import { SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';
import { stepFunctions } from '#adapters/aws/state-machines.ts';
import { FEATURE_ENGINE, SCORER } from '#domain/data/engines.ts';
import { readEnvironment } from '#runtime/env.ts';
import { loggedHeartbeats } from '#runtime/heartbeats.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, storesOf, Text } from '#runtime/wiring.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { checkServiceLevel } from '#use-cases/inference/check-service-level.ts';
import { planReconciliation } from '#use-cases/inference/plan-reconciliation.ts';
import { publishPredictions } from '#use-cases/inference/publish-predictions.ts';
import { reportRun } from '#use-cases/inference/report-run.ts';
import { requestReconciliation } from '#use-cases/inference/request-reconciliation.ts';

const { ENVIRONMENT, LEDGER_TABLE, CATALOGUE_TABLE, LAKE_BUCKET, ARTIFACT_BUCKET, MACHINE_ARN } = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    CATALOGUE_TABLE: Text,
    LAKE_BUCKET: Text,
    ARTIFACT_BUCKET: Text,
    MACHINE_ARN: Text,
  }),
);
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE, catalogue: CATALOGUE_TABLE }),
  clock,
  metrics: embeddedMetrics(clock, (line) => process.stdout.write(`${line}\n`)),
  machines: stepFunctions(new SFNClient(), () => MACHINE_ARN),
  ...storesOf({ LAKE_BUCKET, ARTIFACT_BUCKET }),
  engine: FEATURE_ENGINE,
  scorer: SCORER,
};
const report = reportRun(deps);
const leaving = loggedHeartbeats(deps);

export const handler = tasks({
  'Check service level': leaving('service-level', checkServiceLevel(deps)),
  'Request reconciliation': leaving('predict', requestReconciliation(deps), ['trigger', 'schedule']),
  'Plan reconciliation': planReconciliation(deps),
  'Publish predictions': publishPredictions(deps),
  'Report run': report,
  'Report idle run': report,
  'Record failure': recordRunFailure(deps),
});
