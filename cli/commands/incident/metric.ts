// The metric of an incident, from an hour before to an hour after it was opened.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AlarmKind } from '#domain/alarm/alarm.ts';
import { queriesOf, type Series } from '#domain/alarm/samples.ts';
import { endpointOutput } from '#domain/model/deployed.ts';
import type { Incident } from '#domain/incident/incident.ts';
import type { Context } from '../../context.ts';
import type { Cloud } from '../../cloud.ts';
import type { Moment } from './timeline.ts';

const HOUR_MS = 3_600_000;

/** What each kind of alarm counts as bad, of how much, by the names of its queries. */
const SHOWN: Readonly<Record<AlarmKind, { readonly bad: string; readonly title: string }>> = {
  errors: { bad: 'failed', title: 'failed requests (5xx) by the minute' },
  latency: { bad: 'slow', title: 'slow answers by the minute' },
  health: { bad: 'probeFailed', title: 'failed probes by the minute' },
};

/** What a metric says of an incident: moments for the timeline, and where its picture was written. */
export interface MetricOfIncident {
  readonly moments: readonly Moment[];
  readonly picture: string | null;
  /** Why there is no picture. */
  readonly reason: string;
}

/** Reads and draws the metric that an incident of a rollback is about; what cannot be read says why, and nothing else fails by it. */
export async function metricOf(context: Context, cloud: Cloud, incident: Incident): Promise<MetricOfIncident> {
  const none = (reason: string): MetricOfIncident => ({ moments: [], picture: null, reason });
  if (incident.rollback === null) return none('only rollbacks of endpoints have one');
  const { model } = incident;
  const url = (await cloud.outputs('Inference'))[endpointOutput(model)];
  if (url === undefined) return none('the model answers no requests');
  const kind = AlarmKind.catch('errors').parse(incident.rollback.alarm?.kind);
  const opened = Date.parse(incident.openedAt);
  const until = new Date(Math.min(opened + HOUR_MS, context.now().getTime()));
  const from = new Date(opened - HOUR_MS);
  const api = new URL(url).hostname.split('.')[0] ?? '';
  const endpoint = {
    environment: cloud.environment,
    model,
    api,
    functionName: cloud.names.functionName(`endpoint-${model}`),
  };
  const { bad, title } = SHOWN[kind];
  let series: Series;
  try {
    const query = queriesOf(kind, endpoint)[bad];
    if (query === undefined) return none(`no metric ${bad} is known`);
    series = (await cloud.metrics.read({ bad: query }, { from, until })).bad;
  } catch (error) {
    return none(`the metric cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const sorted = series.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const failing = sorted.filter(({ value }) => value > 0);
  if (sorted.length === 0) return none('the metric has no value in the two hours around it');
  const { metricPicture } = await import('./picture.ts');
  const folder = join(context.home, 'pictures');
  const picture = join(folder, `incident-${incident.incident}.svg`);
  await mkdir(folder, { recursive: true });
  await writeFile(
    picture,
    await metricPicture({ title: incident.incident, subtitle: title, series: sorted, switched: incident.openedAt }),
  );
  const moment = (what: string, at: Date | undefined): Moment[] =>
    at === undefined ? [] : [{ at: at.toISOString(), what: `${title}: ${what}`, by: 'metric', seq: null }];
  return {
    moments: [...moment('the first', failing[0]?.at), ...moment('the last', failing.at(-1)?.at)],
    picture,
    reason: '',
  };
}
