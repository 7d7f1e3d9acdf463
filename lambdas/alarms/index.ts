// Without this function an endpoint that fails would go on failing until somebody is awake. An alarm wakes it; it reads the metrics again
// and decides by the policy in force. It can start a rollback, and cannot move the pointer.
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { cloudWatchAlarms, cloudWatchMetrics } from '#adapters/aws/alarms.ts';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';
import { stepFunctions } from '#adapters/aws/state-machines.ts';
import { AlarmKind } from '#domain/alarm/alarm.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { loggedHeartbeats } from '#runtime/heartbeats.ts';
import { logger } from '#runtime/observability.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, Text, TextMap } from '#runtime/wiring.ts';
import { actOnAlarm } from '#use-cases/alarm/act-on-alarm.ts';
import { superviseAlarms } from '#use-cases/alarm/supervise-alarms.ts';

const { ENVIRONMENT, LEDGER_TABLE, MACHINE_ARN, ENDPOINT_APIS, NAME_PREFIX } = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    MACHINE_ARN: Text,
    // The id of the HTTP API of each online model.
    ENDPOINT_APIS: TextMap,
    NAME_PREFIX: Text,
  }),
);
const cloudWatch = new CloudWatchClient();
const watched = Object.entries(ENDPOINT_APIS).flatMap(([model, api]) =>
  AlarmKind.options.map((kind) => ({
    name: `${NAME_PREFIX}${kind}-${model}`,
    kind,
    endpoint: { environment: ENVIRONMENT, model, api, functionName: `${NAME_PREFIX}${model}` },
  })),
);
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE }),
  clock,
  metrics: cloudWatchMetrics(cloudWatch),
  alarms: cloudWatchAlarms(cloudWatch),
  emitted: embeddedMetrics(clock, (line) => process.stdout.write(`${line}\n`)),
  machines: stepFunctions(new SFNClient(), () => MACHINE_ARN),
  deployed: readDeployedModels(),
  watched,
  prefix: NAME_PREFIX,
};
const leaving = loggedHeartbeats(deps);
const supervise = tasks({ 'Supervise alarms': leaving('alarms-supervised', superviseAlarms(deps)) });

/** What CloudWatch invokes a function with when an alarm changes. */
const AlarmEvent = z.object({
  source: z.literal('aws.cloudwatch'),
  alarmData: z.object({
    alarmName: z.string(),
    state: z.object({ value: z.string(), timestamp: z.string() }),
  }),
});
const TaskEvent = z.object({ task: z.string(), input: z.unknown() });

export async function handler(event: unknown): Promise<object> {
  const fired = AlarmEvent.safeParse(event);
  if (!fired.success) return supervise(TaskEvent.parse(event));
  const { alarmName: alarm, state } = fired.data.alarmData;
  const found = watched.find(({ name }) => name === alarm);
  if (found === undefined) {
    // Of a model that is not deployed any more: people were told by the alarm itself.
    logger.warn('an alarm of nothing that is deployed', { alarm });
    return { verdict: 'none', found: 'it is of nothing that is deployed' };
  }
  if (state.value !== 'ALARM') return { verdict: 'none', found: `it is ${state.value}` };
  // CloudWatch writes an offset without a colon, such as +0000.
  const firedAt = new Date(state.timestamp.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  const acted = await actOnAlarm(deps, { endpoint: found.endpoint, kind: found.kind, alarm, firedAt });
  logger.info('alarm evaluated', { alarm, ...acted });
  return acted;
}
