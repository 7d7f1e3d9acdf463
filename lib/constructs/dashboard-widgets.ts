import { ENDPOINT_METRICS } from '#domain/alarm/alarm.ts';
import { DRIFT_METRICS, METRICS_NAMESPACE } from '#domain/drift/metrics.ts';
import type { Environment } from '#domain/environment/environment.ts';
import { MODEL_METRICS, SUPERVISION_METRICS } from '#domain/supervision/metrics.ts';

/** A line of a graph, or a number. */
export interface MetricLine {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
  readonly minutes: number;
  readonly label: string;
}

/** A widget: what it shows and what a reader sees in it; `width` of the 24 columns that a dashboard has. */
export type DashboardWidget = {
  readonly title: string;
  readonly means: string;
  readonly width: number;
  readonly height: number;
} & (
  | { readonly kind: 'graph' | 'number'; readonly lines: readonly MetricLine[] }
  | { readonly kind: 'alarms'; readonly alarms: readonly string[] }
);

export interface DashboardContents {
  readonly environment: Environment;
  readonly models: readonly { readonly model: string; readonly isOnline: boolean }[];
  /** The names of all alarms of the environment. */
  readonly alarms: readonly string[];
}

/** The rows of an environment's dashboard. What an environment does not have is no widget of it. */
export function dashboardRows({
  environment,
  models,
  alarms,
}: DashboardContents): readonly (readonly DashboardWidget[])[] {
  const isServing = environment === 'staging' || environment === 'prod';
  const own = (name: string, statistic: string, label: string, minutes = 15): MetricLine => ({
    namespace: METRICS_NAMESPACE,
    name,
    dimensions: { environment },
    statistic,
    minutes,
    label,
  });
  const ofModels = (
    name: string,
    statistic: string,
    minutes = 15,
    more: Readonly<Record<string, string>> = {},
  ): readonly MetricLine[] =>
    models.map(({ model }) => ({
      ...own(name, statistic, [model, ...Object.values(more)].join(' '), minutes),
      dimensions: { environment, model, ...more },
    }));
  const hasData = environment !== 'control';
  return [
    ...parted(alarms, MOST_ALARMS).map((some): readonly DashboardWidget[] => [
      {
        kind: 'alarms',
        title: 'Alarms',
        means: 'every alarm of the environment, by its state; its description names the article of the runbook',
        width: 24,
        height: 4,
        alarms: some,
      },
    ]),
    [
      ...(isServing
        ? [
            number(
              'Served release',
              'hours since the served release was promoted',
              ofModels(MODEL_METRICS.releaseAge, 'Maximum'),
            ),
            number(
              'Open promotions',
              'promotions that are open, or wait for people',
              ofModels(MODEL_METRICS.openPromotions, 'Maximum'),
            ),
          ]
        : []),
      ...(hasData
        ? [number('Open incidents', 'incidents that are not closed', ofModels(MODEL_METRICS.openIncidents, 'Maximum'))]
        : []),
      number('Missed schedules', 'schedules whose newest expected run did not come', [
        own(SUPERVISION_METRICS.missed, 'Maximum', 'schedules'),
      ]),
      number('Dead letters', 'messages in dead-letter queues, which should be none', [
        own(SUPERVISION_METRICS.deadLetters, 'Maximum', 'messages'),
      ]),
    ],
    ...(isServing ? models.filter(({ isOnline }) => isOnline).map(({ model }) => endpointRow(environment, model)) : []),
    [
      ...(hasData
        ? [
            graph(
              'Data freshness',
              'hours since the newest day of each source was first admitted; it falls to nothing with each new day',
              ['events', 'labels'].flatMap((kind) => ofModels(MODEL_METRICS.dataAge, 'Maximum', 60, { kind })),
            ),
          ]
        : []),
      ...(isServing
        ? [
            graph(
              'Drift of stable inputs',
              'the largest population stability index of a stable input, of each daily check',
              ofModels(DRIFT_METRICS.index, 'Maximum', 1440),
            ),
          ]
        : []),
      graph('Supervision', 'rounds of the supervisor in a quarter of an hour; without them nothing above is known', [
        own(SUPERVISION_METRICS.supervised, 'Sum', 'rounds'),
      ]),
    ],
  ];
}

/** What an endpoint answers, and how fast. */
function endpointRow(environment: Environment, model: string): readonly DashboardWidget[] {
  const line = (name: string, statistic: string, label: string): MetricLine => ({
    namespace: METRICS_NAMESPACE,
    name,
    dimensions: { environment, model, arm: 'champion' },
    statistic,
    minutes: 5,
    label,
  });
  return [
    graph(`Requests of ${model}`, 'requests for predictions in five minutes', [
      line(ENDPOINT_METRICS.requests, 'Sum', 'requests'),
    ]),
    graph(`Errors of ${model}`, 'requests that failed because of the release, and because of something beside it', [
      line(ENDPOINT_METRICS.errors, 'Sum', 'the release'),
      line(ENDPOINT_METRICS.dependencyUnavailable, 'Sum', 'something beside it'),
    ]),
    graph(`Latency of ${model}`, 'milliseconds from a request’s arrival until its answer', [
      line(ENDPOINT_METRICS.latency, 'p50', 'half of the answers'),
      line(ENDPOINT_METRICS.latency, 'p99', '99 of 100'),
    ]),
  ];
}

function number(title: string, means: string, lines: readonly MetricLine[]): DashboardWidget {
  return { kind: 'number', title, means, width: 4, height: 4, lines };
}

function graph(title: string, means: string, lines: readonly MetricLine[]): DashboardWidget {
  return { kind: 'graph', title, means, width: 8, height: 6, lines };
}

/** The most alarms that CloudWatch takes in one widget. */
const MOST_ALARMS = 100;

function parted<T>(items: readonly T[], most: number): readonly (readonly T[])[] {
  const count = Math.max(1, Math.ceil(items.length / most));
  return Array.from({ length: count }, (_, part) => items.slice(part * most, (part + 1) * most));
}
