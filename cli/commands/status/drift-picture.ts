// A picture of what the checks of a model's drift found, drawn as SVG by Vega-Lite when somebody asks for it.
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { DriftCheck } from './drift-check.ts';

type Spec = TopLevelSpec;
const STABLE = '#1d4ed8';
const INFORMATION = '#9ca3af';
const LIMIT = '#b91c1c';
const WIDTH = 620;

/** The newest check's indices beside the limit, and how those of the stable inputs came about. @param checks oldest first */
export async function driftPicture(
  title: string,
  checks: readonly (DriftCheck & { readonly status: string })[],
): Promise<string> {
  const newest = checks.at(-1);
  const limit = newest?.limits.index ?? 0;
  const bars = (newest?.inputs.measured ?? []).map((each) => ({
    ...each,
    kind: each.isStable ? (each.index > limit ? 'stable, drifted' : 'stable') : 'information',
    shown: each.index.toFixed(3),
  }));
  // Of a day that was looked at twice, the later look counts.
  const days = [...new Map(checks.map((check) => [check.day, check])).values()].flatMap(({ day, inputs, limits }) =>
    day === null
      ? []
      : inputs.measured
          .filter(({ isStable }) => isStable)
          .map(({ input, index }) => ({ day, input, index, limit: limits.index })),
  );
  const spec: Spec = {
    config: CONFIG,
    title: {
      text: `Drift of ${title}: ${newest?.status ?? 'never checked'}`,
      subtitle: `inputs of ${newest?.day ?? 'no day'} against those that the release was made from`,
    },
    vconcat: [
      {
        width: WIDTH,
        height: { step: 22 },
        data: { values: bars },
        layer: [
          {
            mark: { type: 'bar', height: 13, cornerRadiusEnd: 2 },
            encoding: { x: INDEX, y: INPUT, color: KIND },
          },
          {
            mark: { type: 'text', align: 'left', dx: 5, color: '#374151' },
            encoding: { x: INDEX, y: INPUT, text: { field: 'shown' } },
          },
          { data: { values: [{ limit }] }, mark: RULE, encoding: { x: { field: 'limit', type: 'quantitative' } } },
        ],
      },
      {
        width: WIDTH,
        height: 190,
        data: { values: days },
        layer: [
          {
            mark: { type: 'line', strokeWidth: 2, point: { size: 28, filled: true } },
            encoding: {
              x: {
                field: 'day',
                type: 'ordinal',
                title: 'day of the inputs',
                axis: { labelAngle: -40, labelOverlap: true },
              },
              y: { field: 'index', type: 'quantitative', title: 'PSI of the stable inputs', scale: { type: 'sqrt' } },
              color: { field: 'input', type: 'nominal', title: null, scale: { range: COLOURS }, legend: LEGEND },
            },
          },
          { data: { values: [{ limit }] }, mark: RULE, encoding: { y: { field: 'limit', type: 'quantitative' } } },
        ],
      },
    ],
    resolve: { scale: { color: 'independent' } },
  };
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

const LEGEND = { orient: 'bottom', title: null, labelLimit: 260 } as const;
const RULE = { type: 'rule' as const, strokeDash: [5, 4], strokeWidth: 1.5, color: LIMIT };
const COLOURS = [STABLE, '#d97706', '#65a30d', '#7c3aed', '#0891b2', '#db2777', '#111827'];
/** Rates move by whole numbers where stable inputs move by hundredths: a square root shows both. */
const INDEX = {
  field: 'index',
  type: 'quantitative',
  title: 'population stability index (square root scale; dashed: the limit of stable inputs)',
  scale: { type: 'sqrt' },
} as const;
const INPUT = { field: 'input', type: 'nominal', title: null, sort: null, axis: { labelLimit: 260 } } as const;
const KIND = {
  field: 'kind',
  type: 'nominal',
  scale: { domain: ['stable', 'stable, drifted', 'information'], range: [STABLE, LIMIT, INFORMATION] },
  legend: LEGEND,
} as const;

const CONFIG: NonNullable<Spec['config']> = {
  background: 'white',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  title: { anchor: 'start', fontSize: 15, subtitleColor: '#4b5563' },
  axis: { gridColor: '#e5e7eb', domainColor: '#9ca3af', tickColor: '#9ca3af' },
};
