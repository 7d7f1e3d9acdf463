// A picture of a metric around an incident, drawn as SVG by Vega-Lite when somebody asks for it.
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Series } from '#domain/alarm/samples.ts';

/** The values of a metric by the minute, with the moment of the switch marked. */
export async function metricPicture(of: {
  readonly title: string;
  readonly subtitle: string;
  readonly series: Series;
  readonly switched: string;
}): Promise<string> {
  const { title, subtitle, series, switched } = of;
  const x = { field: 'at', type: 'temporal', title: 'UTC', scale: { type: 'utc' } } as const;
  const spec: TopLevelSpec = {
    background: 'white',
    width: 620,
    height: 190,
    title: { text: title, subtitle, anchor: 'start', fontSize: 15, subtitleColor: '#4b5563' },
    config: { font: 'system-ui, sans-serif', view: { stroke: null }, axis: { gridColor: '#e5e7eb' } },
    layer: [
      {
        data: { values: series.map(({ at, value }) => ({ at: at.toISOString(), value })) },
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2, color: '#1d4ed8', point: { size: 18 } },
        encoding: { x, y: { field: 'value', type: 'quantitative', title: null } },
      },
      {
        data: { values: [{ at: switched, said: 'rolled back' }] },
        mark: { type: 'rule', color: '#b91c1c', strokeDash: [5, 4], strokeWidth: 1.5 },
        encoding: { x },
      },
      {
        data: { values: [{ at: switched, said: 'rolled back' }] },
        mark: { type: 'text', align: 'left', dx: 5, y: 8, color: '#b91c1c' },
        encoding: { x, text: { field: 'said' } },
      },
    ],
  };
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
