// Pictures of the half-year, drawn as SVG by Vega-Lite when the bench runs.
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Played } from './simulate.ts';
import type { Trials } from './studies.ts';

/** A picture as SVG. */
async function draw(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

const CONFIG: NonNullable<TopLevelSpec['config']> = {
  background: 'white',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: { gridColor: '#e5e7eb', domainColor: '#9ca3af', tickColor: '#9ca3af' },
  range: { category: ['#9ca3af', '#d97706', '#65a30d', '#7c3aed', '#0891b2', '#db2777', '#111827', '#1d4ed8'] },
};

const WEEKS = {
  field: 'week',
  type: 'quantitative',
  title: 'week',
  scale: { domain: [1, 22] as number[], zero: false, nice: false },
  axis: { tickCount: 22 },
} as const;

/** How much more than the best in hindsight each strategy has lost until each week. */
export function regretPicture(
  played: readonly Played[],
  faults: readonly { week: number; kind: string }[],
): Promise<string> {
  const lines = played.flatMap(({ strategy, outcome }) => {
    let [own, best] = [0, 0];
    return outcome.weeks.map((week, index) => {
      own += week.own.logLoss;
      best += week.best;
      return { strategy: strategy.name, week: index + 1, regret: 100 * (own / best - 1) };
    });
  });
  return draw({
    config: CONFIG,
    width: 640,
    height: 300,
    layer: [
      {
        data: { values: [...faults] },
        mark: { type: 'rule', strokeDash: [2, 3], color: '#b91c1c', opacity: 0.5 },
        encoding: { x: WEEKS },
      },
      {
        data: { values: lines },
        mark: { type: 'line', strokeWidth: 2 },
        encoding: {
          x: WEEKS,
          y: { field: 'regret', type: 'quantitative', title: 'regret so far, % of the best loss in hindsight' },
          color: {
            field: 'strategy',
            type: 'nominal',
            title: null,
            sort: played.map(({ strategy }) => strategy.name),
            legend: { orient: 'bottom', columns: 2, labelLimit: 320 },
          },
        },
      },
    ],
  });
}

/** Late flights by week, as they came true and as ours expected them. */
export function weeksPicture({ outcome }: Played): Promise<string> {
  const values = outcome.weeks.flatMap(({ own }, index) => [
    { week: index + 1, what: 'came true', share: (100 * own.positives) / own.rows },
    { week: index + 1, what: 'expected', share: (100 * own.predicted) / own.rows },
  ]);
  return draw({
    config: CONFIG,
    width: 640,
    height: 200,
    data: { values },
    mark: { type: 'line', point: true, strokeWidth: 2 },
    encoding: {
      x: WEEKS,
      y: { field: 'share', type: 'quantitative', title: 'late flights, %' },
      color: {
        field: 'what',
        type: 'nominal',
        title: null,
        scale: { domain: ['came true', 'expected'], range: ['#111827', '#1d4ed8'] },
        legend: { orient: 'bottom' },
      },
    },
  });
}

/** How often a gain is seen, by the length of the holdout. */
export function powerPicture(trials: readonly Trials[]): Promise<string> {
  const values = trials.map(({ days, gain, promoted, trials: count }) => ({
    holdout: `${days} days`,
    gain: 100 * gain,
    promoted: (100 * promoted) / count,
  }));
  return draw({
    config: CONFIG,
    width: 640,
    height: 240,
    data: { values },
    mark: { type: 'line', point: true, strokeWidth: 2 },
    encoding: {
      x: { field: 'gain', type: 'quantitative', title: 'true gain in log loss, %' },
      y: { field: 'promoted', type: 'quantitative', title: 'promoted, % of trials', scale: { domain: [0, 100] } },
      color: {
        field: 'holdout',
        type: 'nominal',
        title: 'holdout',
        sort: [...new Set(values.map(({ holdout }) => holdout))],
        scale: { range: ['#9ca3af', '#1d4ed8', '#111827'] },
        legend: { orient: 'bottom' },
      },
    },
  });
}
