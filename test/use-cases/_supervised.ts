import { memoryMetrics } from '#adapters/memory/metrics.ts';
import { memoryResources } from '#adapters/memory/resources.ts';
import type { Scheduled } from '#domain/supervision/schedules.ts';
import type { Watched } from '#domain/supervision/watched.ts';
import { heartbeats } from '#use-cases/supervision/heartbeat.ts';
import { superviseEnvironment } from '#use-cases/supervision/supervise-environment.ts';
import { type Environment, MODEL } from './_environments.ts';

/** What a supervisor of prod looks at. */
export const WATCHED: Watched = {
  prefix: 'gatehouse-prod-',
  inbox: { name: 'gatehouse-prod-inbox', arn: 'arn:inbox' },
  peers: { staging: 'arn:staging' },
  alerts: 'arn:alerts',
  machines: { promotion: 'arn:promotion', drift: 'arn:drift' },
  eventSourced: ['gatehouse-prod-intake'],
  requestLogs: ['/aws/lambda/gatehouse-prod-endpoint-toy'],
  keys: ['alias/gatehouse-prod-signing'],
  hasCatalogue: true,
};

/** A supervisor of an environment, as its function makes it: by the environment's clock, which others share. */
export function supervised(own: Environment, schedules: readonly Scheduled[]) {
  const metrics = memoryMetrics();
  const resources = memoryResources(WATCHED);
  const deps = { ...own, metrics, resources, watched: WATCHED, models: [MODEL] };
  const leaving = heartbeats({ ...own, onLost: () => {} });
  return {
    metrics,
    resources,
    round: (of = schedules) => leaving('supervise', superviseEnvironment({ ...deps, schedules: of }))({}),
  };
}
