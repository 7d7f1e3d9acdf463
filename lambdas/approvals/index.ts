// Without this function nobody could promote a release or turn it down: it turns what a signed-in person says into a
// record of control's chain, which is signed and which the target pulls. It holds no right in any other account.
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { handle } from 'hono/aws-lambda';
import { z } from 'zod';
import { cognitoDirectory } from '#adapters/aws/directory.ts';
import { dynamoLedger } from '#adapters/aws/ledger.ts';
import { readEnvironment } from '#runtime/env.ts';
import { approvalsApi } from './api.ts';

const environment = readEnvironment(
  z.object({
    ENVIRONMENT: z.string().min(1),
    LEDGER_TABLE: z.string().min(1),
    USER_POOL_ID: z.string().min(1),
    /** The names of the deployed models, as a JSON array. */
    MODELS: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
  }),
);

export const handler = handle(
  approvalsApi({
    environment: environment.ENVIRONMENT,
    ledger: dynamoLedger(DynamoDBDocumentClient.from(new DynamoDBClient()), { ledger: environment.LEDGER_TABLE }),
    clock: { now: () => new Date() },
    directory: cognitoDirectory(new CognitoIdentityProviderClient(), environment.USER_POOL_ID),
    models: environment.MODELS,
  }),
);
