import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { s3RequestStore } from '#adapters/aws/request-store.ts';
import { countAnswered } from '#adapters/duckdb/request-figures.ts';
import { endpointOutput } from '#domain/model/deployed.ts';
import {
  type AnswerObjective,
  BURN_WINDOWS,
  boundsOf,
  type Burn,
  burnOf,
  type BurnWindow,
  type FoundOfWindow,
  levelQueries,
  objectiveOf,
} from '#domain/prediction/answer-level.ts';
import { closedUntil } from '#domain/prediction/request-log.ts';
import type { MetricData } from '#ports/metric-data.ts';
import type { RequestStore } from '#ports/request-log.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import type { Cloud } from '../../cloud.ts';
import type { Context } from '../../context.ts';
import type { Report } from '../../report.ts';
import { whereDeployed } from './collect.ts';
import { slaSections } from './sla-view.ts';

/** Where what was answered, and what was not, is read. */
export interface SlaSources {
  readonly requests: Pick<RequestStore, 'days' | 'fetch'>;
  readonly metrics: MetricData;
  /** The id of the model's HTTP API. */
  readonly api: string;
}

/** How an environment keeps the objective of a model; `reason` where there is none to keep. */
export interface EnvironmentSla {
  readonly environment: 'staging' | 'prod';
  readonly version: string | null;
  readonly objective: AnswerObjective | null;
  readonly reason: string;
  /** Until when what was answered is known. */
  readonly until: string | null;
  readonly windows: readonly ({ readonly window: BurnWindow['name'] } & Burn)[];
}

/** How fast requests spend the error budget of each model, in each environment that serves. */
export async function slaReport(
  context: Context,
  models: readonly string[],
  sourcesOf: (cloud: Cloud, model: string) => Promise<SlaSources | string> = sourcesIn,
): Promise<Report> {
  const found = [];
  for (const model of models) {
    const environments = [];
    for (const environment of ['staging', 'prod'] as const) {
      const none = { environment, version: null, objective: null, until: null, windows: [] };
      const read = slaIn(context.cloud(environment), environment, model, context.now(), sourcesOf);
      environments.push(await whereDeployed(read, { ...none, reason: 'not deployed' }));
    }
    found.push({ model, environments });
  }
  return { data: { models: found }, sections: found.flatMap(slaSections) };
}

async function slaIn(
  cloud: Cloud,
  environment: EnvironmentSla['environment'],
  model: string,
  now: Date,
  sourcesOf: (cloud: Cloud, model: string) => Promise<SlaSources | string>,
): Promise<EnvironmentSla> {
  const none = { environment, version: null, objective: null, until: null, windows: [] };
  const pointer = await readPointer(cloud.ledger, model);
  if (pointer === undefined) return { ...none, reason: 'nothing is served' };
  const { version } = pointer;
  const objective = objectiveOf((await definitionOf(cloud.releases, pointer.current)).definition);
  if (objective === undefined) return { ...none, version, reason: 'the served release answers no requests' };
  const sources = await sourcesOf(cloud, model);
  if (typeof sources === 'string') return { ...none, version, objective, reason: sources };
  const whole = closedUntil(now);
  const windows = [];
  for (const window of BURN_WINDOWS) {
    const found = await foundIn(sources, { environment, model, objective }, window, whole);
    windows.push({ window: window.name, ...burnOf(found, objective) });
  }
  return { environment, version, objective, reason: '', until: whole.toISOString(), windows };
}

/** What the log and the metrics say of a window; whatever keeps one of them from being read is told in its place. */
async function foundIn(
  { requests, metrics, api }: SlaSources,
  { environment, model, objective }: { environment: string; model: string; objective: AnswerObjective },
  window: BurnWindow,
  whole: Date,
): Promise<FoundOfWindow> {
  const { from, until } = boundsOf(window, whole);
  const { periodSeconds } = window;
  const queries = levelQueries({ environment, model, api });
  const [log, measured] = await Promise.allSettled([
    inFolder(async (folder) => {
      const days = await requests.days(model);
      const files = await Promise.all(days.map((day) => requests.fetch(model, day, folder, from)));
      return countAnswered({ requests: files.flat(), milliseconds: objective.milliseconds, from, until });
    }),
    metrics.read(queries, { from, until, periodSeconds }),
  ]);
  return { log: valueOf(log), metrics: valueOf(measured) };
}

function valueOf<T>(result: PromiseSettledResult<T>): T | string {
  if (result.status === 'fulfilled') return result.value;
  const fault: unknown = result.reason;
  return (fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault)).slice(0, 200);
}

/** By the caller's own credentials; a text where the model has no endpoint there. */
async function sourcesIn(cloud: Cloud, model: string): Promise<SlaSources | string> {
  const url = (await cloud.outputs('Inference'))[endpointOutput(model)];
  if (url === undefined) return 'no endpoint is deployed';
  const api = /^([a-z0-9]+)\.execute-api\./.exec(new URL(url).hostname)?.[1];
  if (api === undefined) return `the URL of the endpoint names no API: ${url}`;
  return {
    requests: s3RequestStore(cloud.s3, cloud.names.lakeBucket),
    metrics: cloud.metrics,
    api,
  };
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-sla-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
