// Without this function no model would be loaded: it checks what a release holds, packages what was trained, and scores.
// It runs foreign model files and SQL, locked in, and holds no ledger right and no signing right.
import { z } from 'zod';
import { s3NewestRequests } from '#adapters/aws/newest-requests.ts';
import { s3RequestStore } from '#adapters/aws/request-store.ts';
import { s3TrainingData } from '#adapters/aws/training.ts';
import { readEvents } from '#adapters/duckdb/event-rows.ts';
import { readScoredRows } from '#adapters/duckdb/scored-rows.ts';
import { onlineFeatures } from '#adapters/duckdb/online.ts';
import { artifactScan } from '#adapters/onnx/artifact-scan.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { SCORER } from '#domain/data/engines.ts';
import { readEnvironment } from '#runtime/env.ts';
import { tasks } from '#runtime/tasks.ts';
import { s3, storesOf, Text } from '#runtime/wiring.ts';
import { readRows } from '#serving/event-rows.ts';
import { InferenceRequest } from '#serving/protocol.ts';
import { replayRequests } from '#serving/replay.ts';
import { replayPairs } from '#serving/replay-pairs.ts';
import { chooseSalt } from '#use-cases/canary/choose-salt.ts';
import { replayShadow } from '#use-cases/canary/replay-shadow.ts';
import { scorePartitions } from '#use-cases/inference/score-partitions.ts';
import { replayAnswers } from '#use-cases/release-tests/replay-answers.ts';
import { scanRelease } from '#use-cases/release-tests/scan-release.ts';
import { testBatch } from '#use-cases/release-tests/test-batch.ts';
import { verifyRelease } from '#use-cases/verification/verify-release.ts';
import { packageCandidates } from '#use-cases/retraining/package-candidates.ts';
import { verifyRollbackTarget } from '#use-cases/rollback-readiness/verify-rollback-target.ts';
import { explainRelease } from '#use-cases/validation/explain-release.ts';

const { LAKE_BUCKET, ARTIFACT_BUCKET, TRAINING_BUCKET } = readEnvironment(
  z.object({ LAKE_BUCKET: Text, ARTIFACT_BUCKET: Text, TRAINING_BUCKET: Text.optional() }),
);
const deps = {
  scoring: onnxScoring,
  scorer: SCORER,
  online: onlineFeatures,
  ...storesOf({ LAKE_BUCKET, ARTIFACT_BUCKET }),
};
const score = scorePartitions(deps);
const { releases: artifacts, documents, lake } = deps;
/** A shadow ends before the function does: what it has by then is judged. */
const SHADOW_BUDGET_MS = 600_000;
const milliseconds = (): number => performance.now();
const newest = s3NewestRequests(s3, LAKE_BUCKET);
const serving = { artifacts, documents, lake, scoring: onnxScoring, features: onlineFeatures };

export const handler = tasks({
  'Score release': score,
  'Score partition': score,
  'Score shard': score,
  'Verify release': verifyRelease(deps),
  'Verify rollback target': verifyRollbackTarget(deps),
  'Explain release': explainRelease(deps),
  'Scan release': scanRelease({ ...deps, scan: artifactScan }),
  'Test batch': testBatch({ ...deps, events: { readEvents }, readRows: readScoredRows }),
  'Replay answers': replayAnswers({
    documents,
    releases: artifacts,
    requests: s3RequestStore(s3, LAKE_BUCKET),
    replaying: {
      read: (definition, body) => readRows(definition, InferenceRequest.parse(body)),
      replay: (model, requests, folder) => replayRequests({ ...serving, model, folder }, requests),
    },
  }),
  'Replay shadow': replayShadow({
    documents,
    requests: newest,
    replaying: {
      replayPairs: (asked) =>
        replayPairs({ ...serving, model: asked.model, folder: asked.folder, milliseconds }, asked),
    },
    milliseconds,
    budgetMs: SHADOW_BUDGET_MS,
  }),
  'Choose salt': chooseSalt({ requests: newest }),
  ...(TRAINING_BUCKET === undefined
    ? {}
    : {
        'Package candidates': packageCandidates({
          ...deps,
          events: { readEvents },
          training: s3TrainingData(s3, TRAINING_BUCKET),
        }),
      }),
});
