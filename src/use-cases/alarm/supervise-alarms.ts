import { z } from 'zod';
import { type AlarmKind, ENDPOINT_METRICS, TRIGGER } from '#domain/alarm/alarm.ts';
import type { MeasuredEndpoint } from '#domain/alarm/samples.ts';
import { METRICS_NAMESPACE } from '#domain/drift/metrics.ts';
import { digestOfJson } from '#domain/canonical/digest.ts';
import { deployedModel } from '#domain/model/deployed.ts';
import { rulesOf } from '#domain/policy/differences.ts';
import type { Alarms } from '#ports/alarms.ts';
import type { Metrics } from '#ports/metrics.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { operationName, recordChange } from '#use-cases/audit/record-change.ts';
import { each, type Fault, throwFaults } from '#use-cases/each.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { actOnAlarm, type ActingOnAlarms, resumeRollback } from './act-on-alarm.ts';

const HOUR_MS = 3_600_000;

/** A kind of alarm of an endpoint, by the name that it is deployed under. */
export interface WatchedAlarm {
  readonly name: string;
  readonly kind: AlarmKind;
  readonly endpoint: MeasuredEndpoint;
}

export interface Supervising extends ActingOnAlarms {
  readonly alarms: Alarms;
  /** Where it says what alarms watch. */
  readonly emitted: Metrics;
  readonly watched: readonly WatchedAlarm[];
  /** What the names of all of them begin with. */
  readonly prefix: string;
}

export const SuperviseAlarms = contract({
  input: z.object({}),
  output: z.object({ evaluated: z.array(z.object({ alarm: z.string(), verdict: z.string(), found: z.string() })) }),
});

/**
 * Looks at each alarm that is in alarm, each minute: an alarm acts when it changes only, and what it did may have come to nothing. Where
 * other thresholds are in force than the alarms are deployed with, those in force are evaluated whether an alarm fires or not.
 */
export function superviseAlarms(deps: Supervising): Task {
  return SuperviseAlarms.task(async () => {
    const firing = new Set(await deps.alarms.inAlarm(deps.prefix));
    const differing = new Set<string>();
    const faults: Fault[] = [];
    const endpoints = new Map(deps.watched.map(({ endpoint }) => [endpoint.model, endpoint]));
    await each(
      faults,
      endpoints.keys(),
      (model) => ({ item: `policy of ${model}`, model }),
      async (model) => {
        if (await doRulesDiffer(deps, model)) differing.add(model);
      },
    );
    await each(
      faults,
      endpoints.values(),
      ({ model }) => ({ item: `probes of ${model}`, model }),
      (endpoint) => reportUnprobed(deps, endpoint),
    );
    await each(
      faults,
      endpoints.keys(),
      (model) => ({ item: `rollback of ${model}`, model }),
      (model) => resumeRollback(deps, model),
    );
    const evaluated: { alarm: string; verdict: string; found: string }[] = [];
    await each(
      faults,
      deps.watched.filter(({ name, endpoint }) => firing.has(name) || differing.has(endpoint.model)),
      ({ name, endpoint }) => ({ item: name, model: endpoint.model }),
      async ({ name: alarm, kind, endpoint }) => {
        const acted = await actOnAlarm(deps, { endpoint, kind, alarm, firedAt: undefined });
        evaluated.push({ alarm, ...acted });
      },
    );
    throwFaults(faults, { evaluated });
    return { evaluated };
  });
}

/** Says how long ago a probe learned something, since the served release is there: what sends none does so. */
async function reportUnprobed(deps: Supervising, { environment, model }: MeasuredEndpoint): Promise<void> {
  const now = deps.clock.now();
  const pointer = await readPointer(deps.ledger, model);
  const dimensions = { environment, model };
  let minutes = 0;
  if (pointer !== undefined) {
    const query = {
      namespace: METRICS_NAMESPACE,
      name: ENDPOINT_METRICS.probes,
      dimensions,
      statistic: 'Sum' as const,
    };
    const { probes } = await deps.metrics.read(
      { probes: query },
      { from: new Date(now.getTime() - HOUR_MS), until: now },
    );
    const newest = Math.max(Date.parse(pointer.at), ...probes.map(({ at }) => at.getTime()));
    minutes = Math.max(0, (now.getTime() - newest) / 60_000);
  }
  deps.emitted.emit(dimensions, { [ENDPOINT_METRICS.unprobed]: minutes });
}

/** Whether other thresholds are in force than are deployed; it is recorded once for each two. */
async function doRulesDiffer(deps: Supervising, model: string): Promise<boolean> {
  const active = await readActivePolicy(deps.ledger, model);
  const { policy } = deployedModel(deps.deployed, model);
  if (active === undefined) return false;
  const [is, wanted] = [rulesOf(policy.serving ?? null), rulesOf(active.rules.serving ?? null)];
  const paths = [...new Set([...is.keys(), ...wanted.keys()])].filter((path) => is.get(path) !== wanted.get(path));
  if (paths.length === 0) return false;
  const [deployed, inForce] = [digestOfJson(policy), active.policy];
  const said = paths.map(
    (path) => `serving.${path}: deployed ${is.get(path) ?? 'none'}, in force ${wanted.get(path) ?? 'none'}`,
  );
  await recordChange(deps, {
    model,
    operation: operationName('serving-rules', deployed, inForce),
    writes: [],
    event: {
      code: 'SERVING_RULES_DIFFER',
      actor: TRIGGER,
      release: null,
      details: { deployed, inForce, found: said.join('; ').slice(0, 1000) },
    },
  });
  return true;
}
