// Without this function an object that was lost or changed would be noticed when it is needed: in a rollback. It reads what the ledger refers
// to, hashes it, and says what is not whole; it can write no object.
import type { Context } from 'aws-lambda';
import { z } from 'zod';
import { s3StoredBytes } from '#adapters/aws/stored-bytes.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { loggedHeartbeats } from '#runtime/heartbeats.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, s3, Text } from '#runtime/wiring.ts';
import { checkIntegrity } from '#use-cases/supervision/check-integrity.ts';

const { ENVIRONMENT, LEDGER_TABLE, CATALOGUE_TABLE, ARTIFACT_BUCKET, LAKE_BUCKET, PUBLISHED_BUCKET } = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    // Where nothing is stored but records, there are none of these.
    CATALOGUE_TABLE: Text.optional(),
    ARTIFACT_BUCKET: Text.optional(),
    LAKE_BUCKET: Text.optional(),
    PUBLISHED_BUCKET: Text,
  }),
);
/** What is kept of the time that is left for the object that is being read when it ends. */
const RESERVE_MS = 120_000;
let left = (): number => 0;
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE, ...(CATALOGUE_TABLE === undefined ? {} : { catalogue: CATALOGUE_TABLE }) }),
  clock,
  stored: s3StoredBytes(s3, {
    ...(ARTIFACT_BUCKET === undefined ? {} : { releases: ARTIFACT_BUCKET }),
    ...(LAKE_BUCKET === undefined ? {} : { lake: LAKE_BUCKET }),
    published: PUBLISHED_BUCKET,
  }),
  deployed: readDeployedModels(),
  has: { releases: ARTIFACT_BUCKET !== undefined, catalogue: CATALOGUE_TABLE !== undefined },
  hasTime: () => left() > RESERVE_MS,
};
const leaving = loggedHeartbeats(deps);
const run = tasks({ 'Check integrity': leaving('integrity', checkIntegrity(deps)) });

export async function handler(event: Parameters<typeof run>[0], context: Context): Promise<object> {
  left = () => context.getRemainingTimeInMillis();
  return run(event);
}
