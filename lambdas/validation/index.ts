// Without this function nothing trained would leave dev: it compares candidates with the champion that prod shows, and
// offers, rejects or holds. An offer is a record of dev's chain; it admits nothing anywhere.
import { z } from 'zod';
import { s3PeerRecords } from '#adapters/aws/published-records.ts';
import { FEATURE_ENGINE, SCORER } from '#domain/data/engines.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, lookUp, s3, storesOf, Text, TextMap } from '#runtime/wiring.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { holdAsInconclusive, offerRelease, rejectCandidates } from '#use-cases/validation/conclude-validation.ts';
import { championOf } from '#use-cases/validation/champion.ts';
import { evaluateCandidates } from '#use-cases/validation/evaluate-candidates.ts';
import { planReports } from '#use-cases/validation/plan-reports.ts';
import { planValidation } from '#use-cases/validation/plan-validation.ts';

const { ENVIRONMENT, LEDGER_TABLE, CATALOGUE_TABLE, LAKE_BUCKET, ARTIFACT_BUCKET, PEER_BUCKETS } = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    CATALOGUE_TABLE: Text,
    LAKE_BUCKET: Text,
    ARTIFACT_BUCKET: Text,
    PEER_BUCKETS: TextMap,
  }),
);
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE, catalogue: CATALOGUE_TABLE }),
  clock,
  deployed: readDeployedModels(),
  ...storesOf({ LAKE_BUCKET, ARTIFACT_BUCKET }),
  peers: s3PeerRecords(s3, lookUp(PEER_BUCKETS, 'published bucket')),
  engine: FEATURE_ENGINE,
  scorer: SCORER,
};
const hold = holdAsInconclusive(deps);

export const handler = tasks({
  'Plan validation': planValidation({ ...deps, champion: (model) => championOf(deps, 'prod', model) }),
  'Evaluate gates': evaluateCandidates(deps),
  'Plan reports': planReports(deps),
  'Offer release': offerRelease(deps),
  'Reject candidates': rejectCandidates(deps),
  'Hold as inconclusive': hold,
  'Hold unmeasured': hold,
  'Record failure': recordRunFailure(deps),
});
