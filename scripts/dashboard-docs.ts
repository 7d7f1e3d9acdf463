// The dashboard as documentation: a table and a picture of the widgets that the stack makes.
import { draw } from '#adapters/report/drawing.ts';
import { dashboardRows, type DashboardWidget } from '#lib/constructs/dashboard-widgets.ts';

/** A dashboard as prod has it: of one model with an endpoint. */
const ROWS = dashboardRows({ environment: 'prod', models: [{ model: '<model>', isOnline: true }], alarms: [] });

/** What each widget shows, of which metrics. */
export function dashboardTable(): string {
  const rows = ROWS.flat().map((widget) => `| ${code(widget.title)} | ${widget.means} | ${shownOf(widget)} |`);
  return ['| widget | shows | of |', '|---|---|---|', ...rows].join('\n');
}

function shownOf(widget: DashboardWidget): string {
  if (widget.kind === 'alarms') return 'all alarms of the environment';
  return [...new Set(widget.lines.map(({ name, statistic }) => `\`${name}\` (${statistic})`))].join(', ');
}

function code(title: string): string {
  return title.replaceAll('<model>', '`<model>`');
}

const SCALE = { x: 36, y: 22 } as const;

/** Where each widget is, with its name and what it shows. */
export function dashboardPicture(): Promise<string> {
  const boxes: object[] = [];
  let top = 0;
  for (const row of ROWS) {
    let left = 0;
    for (const { title, width, height, kind } of row) {
      const labels = { title: title.replace(' of <model>', ''), kind };
      boxes.push({
        ...labels,
        left: left + 0.1,
        right: left + width - 0.1,
        top: top + 0.1,
        bottom: top + height - 0.1,
        x: left + width / 2,
        y: top + height / 2,
      });
      left += width;
    }
    top += Math.max(...row.map(({ height }) => height));
  }
  const axis = { axis: null, scale: { domain: [0, 24] } };
  const down = { axis: null, scale: { domain: [top, 0] } };
  const text = (field: string, dy: number, color: string, size: number) => ({
    mark: { type: 'text' as const, dy, color, fontSize: size },
    encoding: {
      x: { field: 'x', type: 'quantitative' as const, ...axis },
      y: { field: 'y', type: 'quantitative' as const, ...down },
      text: { field },
    },
  });
  return draw({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    width: 24 * SCALE.x,
    height: top * SCALE.y,
    background: '#ffffff',
    data: { values: boxes },
    config: { view: { stroke: null } },
    layer: [
      {
        mark: { type: 'rect', fill: '#f4f6f8', stroke: '#8a94a0', cornerRadius: 3 },
        encoding: {
          x: { field: 'left', type: 'quantitative', ...axis },
          x2: { field: 'right' },
          y: { field: 'top', type: 'quantitative', ...down },
          y2: { field: 'bottom' },
        },
      },
      text('title', -8, '#1f2933', 13),
      text('kind', 10, '#6b7680', 11),
    ],
  });
}
