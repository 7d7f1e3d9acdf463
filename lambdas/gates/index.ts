// Without this function no promotion would have evidence: it is the only one that may write verdicts, and it can move
// nothing.
import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, s3, Text } from '#runtime/wiring.ts';
import { judgeDrift } from '#use-cases/drift/judge-drift.ts';
import { judgeRelease } from '#use-cases/probation/judge-release.ts';
import { judgeCanary } from '#use-cases/canary/judge-canary.ts';
import { judgeShadow, skipCanary } from '#use-cases/canary/judge-shadow.ts';
import { compareWithChampion, evaluateGates } from '#use-cases/gates/judge-gates.ts';

const { ENVIRONMENT, LEDGER_TABLE, LAKE_BUCKET } = readEnvironment(
  z.object({ ENVIRONMENT: Text, LEDGER_TABLE: Text, LAKE_BUCKET: Text }),
);
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE }),
  clock,
  deployed: readDeployedModels(),
  documents: s3ArtifactStore(s3, LAKE_BUCKET),
  metrics: embeddedMetrics(clock, (line) => process.stdout.write(`${line}\n`)),
};

export const handler = tasks({
  'Compare with champion': compareWithChampion(deps),
  'Evaluate gates': evaluateGates(deps),
  'Judge release': judgeRelease(deps),
  'Judge drift': judgeDrift(deps),
  'Judge shadow': judgeShadow(deps),
  'Skip canary': skipCanary(deps),
  'Judge canary': judgeCanary(deps),
});
