// Without this function nobody would know that an endpoint is ill before its consumers do, nor who answers after a rollback. It sends
// golden requests as a consumer does, and can change nothing but the note that it was there.
import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { httpApiEndpoints } from '#adapters/aws/endpoints.ts';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';
import { readEnvironment } from '#runtime/env.ts';
import { loggedHeartbeats } from '#runtime/heartbeats.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, s3, Text, TextMap } from '#runtime/wiring.ts';
import { probeEndpoint } from '#use-cases/alarm/probe-endpoint.ts';
import { probeEndpoints } from '#use-cases/alarm/probe-endpoints.ts';

const { ENVIRONMENT, LEDGER_TABLE, ARTIFACT_BUCKET, ENDPOINT_URLS, AWS_REGION } = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    ARTIFACT_BUCKET: Text,
    ENDPOINT_URLS: TextMap,
    AWS_REGION: Text,
  }),
);
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE }),
  releases: s3ArtifactStore(s3, ARTIFACT_BUCKET),
  endpoints: httpApiEndpoints({ credentials: s3.config.credentials, region: AWS_REGION }, ENDPOINT_URLS),
  metrics: embeddedMetrics(clock, (line) => process.stdout.write(`${line}\n`)),
  clock,
};
const probe = probeEndpoint(deps);
const leaving = loggedHeartbeats(deps);

export const handler = tasks({
  'Probe endpoint': probe,
  'Probe endpoint again': probe,
  'Probe endpoints': leaving('probes', probeEndpoints(deps)),
});
