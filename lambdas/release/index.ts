// Without this function no promotion would be opened, fed, asked about or ended. It carries releases and keeps the books
// of promotions and incidents; it can neither write evidence nor move the pointer.
import { KMSClient } from '@aws-sdk/client-kms';
import { SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { kmsKeys } from '#adapters/aws/keys.ts';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';
import { stepFunctions } from '#adapters/aws/state-machines.ts';
import { s3StoredVersions } from '#adapters/aws/stored-versions.ts';
import { FEATURE_ENGINE, SCORER } from '#domain/data/engines.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { loggedHeartbeats } from '#runtime/heartbeats.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, lookUp, s3, storesOf, Text, TextMap } from '#runtime/wiring.ts';
import { openCanary } from '#use-cases/canary/open-canary.ts';
import { planDriftCheck } from '#use-cases/drift/plan-drift-check.ts';
import { refusePromotion } from '#use-cases/promotion/end-promotion.ts';
import { openPromotion } from '#use-cases/promotion/open-promotion.ts';
import { planLatency } from '#use-cases/promotion/plan-latency.ts';
import { planPromotionComparison } from '#use-cases/promotion/plan-promotion-comparison.ts';
import { planRollbackTarget } from '#use-cases/promotion/plan-rollback-target.ts';
import { prepareRollbackTarget } from '#use-cases/promotion/prepare-rollback-target.ts';
import { planPromotedAggregates, publishPromotedAggregates } from '#use-cases/promotion/publish-aggregates.ts';
import { pullRelease } from '#use-cases/promotion/pull-release.ts';
import { recordReleaseFailure } from '#use-cases/promotion/record-release-failure.ts';
import { requestApprovals } from '#use-cases/promotion/request-approvals.ts';
import { verifyServing } from '#use-cases/promotion/verify-serving.ts';
import { planReview } from '#use-cases/probation/plan-review.ts';
import { judgeProbes } from '#use-cases/rollback/judge-probes.ts';
import { concludeTests } from '#use-cases/release-tests/conclude-tests.ts';
import { findPredictions } from '#use-cases/release-tests/find-predictions.ts';
import { planTests } from '#use-cases/release-tests/plan-tests.ts';
import { recordLoad, recordScan, recordTests } from '#use-cases/release-tests/record-attestation.ts';
import { openIncident } from '#use-cases/incidents/open-incident.ts';
import { recordRefusal } from '#use-cases/rollback/record-refusal.ts';
import { planDrill } from '#use-cases/rollback-readiness/plan-drill.ts';
import { recordReadiness } from '#use-cases/rollback-readiness/record-readiness.ts';
import { verifyRollback } from '#use-cases/rollback/verify-rollback.ts';

const environment = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    CATALOGUE_TABLE: Text,
    LAKE_BUCKET: Text,
    ARTIFACT_BUCKET: Text,
    SOURCE_BUCKETS: TextMap,
    SIGNING_KEY_ALIAS: Text,
    REQUEST_LOG_KEY_ALIAS: Text,
  }),
);
const { ENVIRONMENT, LEDGER_TABLE, CATALOGUE_TABLE, LAKE_BUCKET, ARTIFACT_BUCKET, SOURCE_BUCKETS } = environment;
const stores = storesOf({ LAKE_BUCKET, ARTIFACT_BUCKET });
const sourceOf = lookUp(SOURCE_BUCKETS, 'artifact bucket');
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE, catalogue: CATALOGUE_TABLE }),
  clock,
  deployed: readDeployedModels(),
  machines: stepFunctions(new SFNClient(), lookUp({}, 'state machine')),
  ...stores,
  own: stores.releases,
  storeOf: (environment: string) => s3ArtifactStore(s3, sourceOf(environment)),
  engine: FEATURE_ENGINE,
  scorer: SCORER,
  metrics: embeddedMetrics(clock, (line) => process.stdout.write(`${line}\n`)),
  versions: s3StoredVersions(s3, ARTIFACT_BUCKET),
  keys: kmsKeys(new KMSClient()),
  aliases: { signing: environment.SIGNING_KEY_ALIAS, 'request log': environment.REQUEST_LOG_KEY_ALIAS },
};
const leaving = loggedHeartbeats(deps);

export const handler = tasks({
  'Open promotion': openPromotion(deps),
  'Open canary': openCanary(deps),
  'Pull release': pullRelease(deps),
  'Plan comparison': planPromotionComparison(deps),
  'Request approvals': requestApprovals(deps),
  'Plan rollback target': planRollbackTarget(deps),
  'Prepare rollback target': prepareRollbackTarget(deps),
  'Plan latency': planLatency(deps),
  'Plan aggregates': planPromotedAggregates(deps),
  'Publish aggregates': publishPromotedAggregates(deps),
  'Verify serving': verifyServing(deps),
  'Refuse promotion': refusePromotion(deps),
  'Plan review': leaving('review', planReview(deps)),
  'Plan drift check': leaving('drift', planDriftCheck(deps)),
  'Open incident': openIncident(deps),
  'Judge probes': judgeProbes(deps),
  'Verify rollback': verifyRollback(deps),
  'Plan drill': leaving('readiness', planDrill(deps)),
  'Record readiness': recordReadiness(deps),
  'Plan tests': planTests(deps),
  'Record scan': recordScan(deps),
  'Find predictions': findPredictions(deps),
  'Record tests': recordTests(deps),
  'Record load': recordLoad(deps),
  'Conclude tests': concludeTests(deps),
  'Record refusal': recordRefusal(deps),
  'Record failure': recordReleaseFailure(deps),
});
