// Without this function what CI finds would reach nobody but by a person's word. It records what jobs and people attest in
// control's chain; which of it counts is decided where a release is to go, and not here.
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { handle } from 'hono/aws-lambda';
import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { cognitoDirectory } from '#adapters/aws/directory.ts';
import { jobTokens } from '#adapters/oidc/job-tokens.ts';
import { readReport } from '#adapters/reports/read-report.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { readKnownPeople } from '#runtime/known-people.ts';
import { clock, ledgerOf, s3, Text } from '#runtime/wiring.ts';
import { attestationsApi } from './api.ts';

const { ENVIRONMENT, LEDGER_TABLE, ARTIFACT_BUCKET, USER_POOL_ID, ISSUERS } = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    ARTIFACT_BUCKET: Text,
    USER_POOL_ID: Text,
    /** The issuers of `gatehouse.config.ts`, as a JSON array. */
    ISSUERS: z
      .string()
      .transform((text) =>
        z.array(z.object({ name: Text, issuer: Text, audience: Text, server: Text })).parse(JSON.parse(text)),
      ),
  }),
);

export const handler = handle(
  attestationsApi({
    environment: ENVIRONMENT,
    ledger: ledgerOf({ ledger: LEDGER_TABLE }),
    clock,
    directory: cognitoDirectory(new CognitoIdentityProviderClient(), USER_POOL_ID),
    deployed: readDeployedModels(),
    people: readKnownPeople(),
    servers: Object.fromEntries(ISSUERS.map(({ name, server }) => [name, server])),
    reports: s3ArtifactStore(s3, ARTIFACT_BUCKET),
    readReport,
    tokens: jobTokens(ISSUERS, clock),
  }),
);
