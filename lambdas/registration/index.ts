// Without this function no release would have a name: it is the only one that registers digests and gives versions.
import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, s3, Text } from '#runtime/wiring.ts';
import { registerCandidates } from '#use-cases/retraining/register-candidates.ts';
import { attachReport } from '#use-cases/validation/attach-report.ts';

const { ENVIRONMENT, LEDGER_TABLE, ARTIFACT_BUCKET } = readEnvironment(
  z.object({ ENVIRONMENT: Text, LEDGER_TABLE: Text, ARTIFACT_BUCKET: Text }),
);

const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE }),
  clock,
  releases: s3ArtifactStore(s3, ARTIFACT_BUCKET),
  deployed: readDeployedModels(),
};

export const handler = tasks({
  'Register candidate': registerCandidates(deps),
  'Attach report': attachReport(deps),
});
