// Without this function an incident would be a mail that somebody may have read. It opens incidents from what the chains say, notifies
// one role after the other, and changes them as people say; it can change nothing that is served.
import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { loggedHeartbeats } from '#runtime/heartbeats.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, s3, Text } from '#runtime/wiring.ts';
import { changeIncident } from '#use-cases/incidents/change-incident.ts';
import { tendIncidents } from '#use-cases/incidents/tend-incidents.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';

const { ENVIRONMENT, LEDGER_TABLE, CATALOGUE_TABLE, LAKE_BUCKET } = readEnvironment(
  z.object({ ENVIRONMENT: Text, LEDGER_TABLE: Text, CATALOGUE_TABLE: Text, LAKE_BUCKET: Text }),
);
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE, catalogue: CATALOGUE_TABLE }),
  clock,
  deployed: readDeployedModels(),
  documents: s3ArtifactStore(s3, LAKE_BUCKET),
};

const leaving = loggedHeartbeats(deps);

export const handler = tasks({
  'Tend incidents': leaving('tend-incidents', tendIncidents(deps), ['model', null]),
  'Change incident': changeIncident(deps),
  'Record failure': recordRunFailure(deps),
});
