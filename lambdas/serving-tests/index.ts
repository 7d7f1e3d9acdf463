// Without this function nobody would know how an endpoint answers before a release goes on to prod. It asks one as a consumer does, once
// or as often as it can, and keeps what it was answered; it changes nothing.
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { httpApiEndpoints } from '#adapters/aws/endpoints.ts';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';
import { signedLoad } from '#adapters/aws/signed-load.ts';
import { readEnvironment } from '#runtime/env.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, s3, Text, TextMap } from '#runtime/wiring.ts';
import { loadEndpoint } from '#use-cases/release-tests/load-endpoint.ts';
import { testEndpoint } from '#use-cases/release-tests/test-endpoint.ts';
import { z } from 'zod';

const { ENVIRONMENT, LEDGER_TABLE, LAKE_BUCKET, ARTIFACT_BUCKET, ENDPOINT_URLS, AWS_REGION } = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    LAKE_BUCKET: Text,
    ARTIFACT_BUCKET: Text,
    ENDPOINT_URLS: TextMap,
    AWS_REGION: Text,
  }),
);
const caller = { credentials: s3.config.credentials, region: AWS_REGION };
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE }),
  releases: s3ArtifactStore(s3, ARTIFACT_BUCKET),
  documents: s3ArtifactStore(s3, LAKE_BUCKET),
  endpoints: httpApiEndpoints(caller, ENDPOINT_URLS),
  generator: signedLoad(caller, ENDPOINT_URLS),
  metrics: embeddedMetrics(clock, (line) => process.stdout.write(`${line}\n`)),
  clock,
};

export const handler = tasks({
  'Test endpoint': testEndpoint(deps),
  'Load endpoint': loadEndpoint(deps),
});
