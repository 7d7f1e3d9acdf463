/** Values over time that are drawn with one mark. */
export interface PlottedSeries {
  readonly mark: string;
  readonly name: string;
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

/** Columns of a plot, and the powers of ten beyond which values are drawn at its edge. */
const WIDTH = 64;
const LEAST = -3;
const MOST = 4;
/** Rows of a power of ten. */
const ROWS = 2;
const LABEL = 7;
/** What a logarithm may be off by. */
const ROUNDING = 1e-9;

/**
 * Values by their logarithms as lines of text, with a line at a limit; what begins and ends the time stands below it. Where several values of a
 * series share a column, the last one is drawn; where two series do, the first one.
 * @param from and until milliseconds, the latter later
 */
export function logPlot(
  series: readonly PlottedSeries[],
  { limit, from, until }: { readonly limit: number; readonly from: number; readonly until: number },
): readonly string[] {
  const logs = series.flatMap(({ points }) => points.map(({ value }) => Math.log10(value)));
  const within = (log: number): number => Math.min(MOST, Math.max(LEAST, log));
  const lowest = Math.floor(within(Math.min(-1, ...logs)));
  const highest = Math.ceil(within(Math.max(Math.log10(limit), ...logs)));
  // Only what has reached a line is drawn on it.
  const rowOf = (log: number): number => Math.ceil((highest - within(log)) * ROWS - ROUNDING);
  const rows = Array.from({ length: rowOf(lowest) + 1 }, () => Array<string>(WIDTH).fill(' '));
  rows[rowOf(Math.log10(limit))]?.fill('-');
  for (const { mark, points } of series.toReversed())
    for (const { at, value } of columnsOf(points, from, until)) {
      const row = rows[rowOf(Math.log10(value))];
      if (row !== undefined) row[at] = mark;
    }
  const lines = rows.map((row, index) => {
    const power = highest - index / ROWS;
    const label = Number.isInteger(power) ? String(Number(`1e${power}`)) : '';
    return `  ${label.padStart(LABEL)} | ${row.join('')}`.trimEnd();
  });
  const [first, last] = [timeOf(from), timeOf(until)];
  return [
    ...lines,
    `  ${''.padStart(LABEL)} +${'-'.repeat(WIDTH + 1)}`,
    `  ${''.padStart(LABEL)}   ${first}${last.padStart(WIDTH - first.length)}`,
    `  ${''.padStart(LABEL)}   ${series.map(({ mark, name }) => `${mark} ${name}`).join('   ')}   - limit ${limit}`,
  ];
}

/** The last value of each column, by its number. */
function columnsOf(points: PlottedSeries['points'], from: number, until: number): PlottedSeries['points'] {
  const columns = new Map<number, number>();
  const span = Math.max(1, until - from);
  for (const { at, value } of points) {
    const column = Math.round(((at - from) / span) * (WIDTH - 1));
    columns.set(Math.min(WIDTH - 1, Math.max(0, column)), value);
  }
  return [...columns].map(([at, value]) => ({ at, value }));
}

function timeOf(at: number): string {
  return `${new Date(at).toISOString().slice(11, 16)}Z`;
}
