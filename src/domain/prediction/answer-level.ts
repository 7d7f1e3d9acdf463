import { ENDPOINT_METRICS } from '../alarm/alarm.ts';
import type { MeasuredEndpoint, MetricQuery, Series } from '../alarm/samples.ts';
import { METRICS_NAMESPACE } from '../drift/metrics.ts';
import type { ModelDefinition } from '../model/definition.ts';

/** What a model promises to whoever asks for predictions. */
export interface AnswerObjective {
  /** The share of requests that are answered within so many milliseconds; the others are its error budget. */
  readonly share: number;
  readonly milliseconds: number;
}

/** The share that holds where a model says none. */
const DEFAULT_SHARE = 0.99;

/** The objective of a model; undefined where it answers no requests. */
export function objectiveOf({ online, sla }: Pick<ModelDefinition, 'online' | 'sla'>): AnswerObjective | undefined {
  if (online === undefined) return undefined;
  return { share: sla.answersWithinObjective ?? DEFAULT_SHARE, milliseconds: online.objectiveMs };
}

const HOUR_MS = 3_600_000;

/** The windows of burn rates: two that show what happens now, and that of the error budget. */
export const BURN_WINDOWS = [
  { name: '1 h', hours: 1, periodSeconds: 60 },
  { name: '6 h', hours: 6, periodSeconds: 60 },
  // CloudWatch keeps minutes for 15 days only.
  { name: '30 days', hours: 720, periodSeconds: 3600 },
] as const;
export type BurnWindow = (typeof BURN_WINDOWS)[number];

/**
 * From when to when a window reaches: whole periods, up to where the request log is whole. A period that goes on would count in the metrics
 * what the log does not have yet.
 */
export function boundsOf(
  { hours, periodSeconds }: BurnWindow,
  whole: Date,
): { readonly from: Date; readonly until: Date } {
  const period = periodSeconds * 1000;
  const began = (milliseconds: number): Date => new Date(Math.floor(milliseconds / period) * period);
  return { from: began(whole.getTime() - hours * HOUR_MS), until: began(whole.getTime()) };
}

/** The metrics that say what no log has: calls of the API and those that failed, and how many were answered. */
export function levelQueries({ environment, model, api }: Omit<MeasuredEndpoint, 'functionName'>) {
  const ofApi = (name: string): MetricQuery => ({
    namespace: 'AWS/ApiGateway',
    name,
    dimensions: { ApiId: api },
    statistic: 'Sum',
  });
  const answered: MetricQuery = {
    namespace: METRICS_NAMESPACE,
    name: ENDPOINT_METRICS.latency,
    dimensions: { environment, model, arm: 'champion' },
    statistic: 'SampleCount',
  };
  return { calls: ofApi('Count'), failed: ofApi('5xx'), answered };
}

/** What was found of a window; a text says why a part of it could not be read. */
export interface FoundOfWindow {
  readonly log: { readonly answered: number; readonly slow: number } | string;
  readonly metrics: Readonly<Record<keyof ReturnType<typeof levelQueries>, Series>> | string;
}

export type Burn =
  | {
      readonly kind: 'measured';
      readonly answered: number;
      /** Answered, and later than the objective. */
      readonly slow: number;
      /** Not answered: 5xx of the API, probes and health checks among them. */
      readonly failed: number;
      /** The share of requests that failed or were slow. */
      readonly badShare: number;
      /** How many times as fast as it lasts the error budget is spent: at 1 nothing is left at the end of the window. */
      readonly burn: number;
      /** Requests that may be bad, by the objective, and those that were. */
      readonly budget: { readonly allowed: number; readonly spent: number };
    }
  | { readonly kind: 'no-requests' }
  | { readonly kind: 'unknown'; readonly why: string };

/** Answers that a log may lack while it is whole: a metric counts when an answer is there, the log when its request began. */
const TOLERATED = { share: 0.01, answers: 10 } as const;

/**
 * The burn rate of a window: the bad share over the share that may be bad (Google, The Site Reliability Workbook, chapter 5). Whatever could not be
 * read makes it unknown, and never 0.
 */
export function burnOf({ log, metrics }: FoundOfWindow, { share }: AnswerObjective): Burn {
  const unknown = (why: string): Burn => ({ kind: 'unknown', why });
  if (typeof log === 'string') return unknown(`the request log cannot be read: ${log}`);
  if (typeof metrics === 'string') return unknown(`CloudWatch cannot be read: ${metrics}`);
  const [calls, failed, emitted] = [totalOf(metrics.calls), totalOf(metrics.failed), totalOf(metrics.answered)];
  const { answered, slow } = log;
  for (const [name, value] of Object.entries({ calls, failed, answers: emitted }))
    if (!isCount(value)) return unknown(`the metric of ${name} is no count: ${value}`);
  if (metrics.calls.length === 0) {
    // Each call of the API is counted, failed ones among them: without any, nobody knows of failures.
    if (answered > 0 || emitted > 0)
      return unknown(`CloudWatch has no calls of the API, and ${Math.max(answered, emitted)} were answered`);
    return { kind: 'no-requests' };
  }
  if (answered < emitted * (1 - TOLERATED.share) - TOLERATED.answers)
    return unknown(`the request log is not whole: it has ${answered} of ${emitted} answers`);
  const total = answered + failed;
  if (total === 0) return { kind: 'no-requests' };
  const spent = slow + failed;
  const allowed = total * (1 - share);
  return {
    kind: 'measured',
    answered,
    slow,
    failed,
    badShare: spent / total,
    burn: spent / allowed,
    budget: { allowed, spent },
  };
}

function totalOf(series: Series): number {
  return series.reduce((sum, { value }) => sum + value, 0);
}

function isCount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}
