import { parse, resetSVGDefIds, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** A picture as SVG. Text takes the colours of the page, so that it can be read in the dark. */
export async function draw(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile({ config: CONFIG, ...spec }).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Has the ids inside of the pictures to come begin anew, so that the same report has the same bytes. */
export function beginPage(): void {
  resetSVGDefIds();
}

const CONFIG: NonNullable<TopLevelSpec['config']> = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: { gridColor: '#d1d5db', domainColor: '#9ca3af', tickColor: '#9ca3af', labelFontSize: 11, titleFontWeight: 500 },
  legend: { labelFontSize: 11 },
};
/** Colours of the two models, and of what they are compared with: to be told apart on paper and in the dark. */
export const CHAMPION = '#8b93a1';
export const CANDIDATE = '#2f6fed';
export const REFERENCE = '#c2410c';
/** Of most pictures, in pixels. */
export const WIDTH = 560;
/** The scale of colours by models. */
export const MODELS = { domain: ['champion', 'candidate'], range: [CHAMPION, CANDIDATE] };
/** Legends stand below. */
export const LEGEND = { orient: 'bottom', title: null } as const;
