// Without this function what silently stops would be noticed when somebody misses it. It compares what ran with what was expected, and
// tells people; it can start, stop and mend nothing.
import { z } from 'zod';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';
import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import { schedulesOf } from '#domain/supervision/schedules.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { loggedHeartbeats } from '#runtime/heartbeats.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, Text } from '#runtime/wiring.ts';
import { superviseEnvironment } from '#use-cases/supervision/supervise-environment.ts';

const { ENVIRONMENT, LEDGER_TABLE } = readEnvironment(
  z.object({ ENVIRONMENT: z.enum(ENVIRONMENTS), LEDGER_TABLE: Text }),
);
const definitions = readDeployedModels().models.map(({ definition }) => definition);
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE }),
  clock,
  metrics: embeddedMetrics(clock, (line) => process.stdout.write(`${line}\n`)),
  models: definitions.map(({ name }) => name),
  schedules: schedulesOf(ENVIRONMENT, definitions),
};
const leaving = loggedHeartbeats(deps);

export const handler = tasks({ 'Supervise environment': leaving('supervise', superviseEnvironment(deps)) });
