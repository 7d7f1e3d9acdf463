import Table from 'cli-table3';
import { stringify } from 'yaml';
import { escaped, seen } from '#domain/text.ts';

/** A titled table; `empty` is said when there is no row. */
export interface TableSection {
  readonly title?: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly empty?: string;
}

/** Lines of text under an optional title. */
export interface TextSection {
  readonly title?: string;
  readonly lines: readonly string[];
}

export type Section = TableSection | TextSection;

/** What a command found: as data for programs, and as sections for people. */
export interface Report {
  readonly data: unknown;
  readonly sections: readonly Section[];
}

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** A report as text, without a newline at its end. */
export function render(report: Report, format: Format): string {
  switch (format) {
    // Whatever other people's text stands in it: what is printed is what is seen, and JSON loses nothing by it.
    case 'json':
      return escaped(JSON.stringify(report.data, null, 2));
    case 'yaml':
      return seen(stringify(report.data, { aliasDuplicateObjects: false }).trimEnd());
    case 'table':
      return seen(report.sections.map(sectionText).join('\n\n'));
  }
}

function sectionText(section: Section): string {
  const title = section.title === undefined ? [] : [section.title];
  if ('lines' in section) return [...title, ...section.lines].join('\n');
  if (section.rows.length === 0) return [...title, `  ${section.empty ?? 'nothing'}`].join('\n');
  const table = new Table({
    head: [...section.columns],
    chars: BORDERLESS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  // Before the columns are measured: what a terminal does not show has no width.
  for (const row of section.rows) table.push(row.map(seen));
  return [
    ...title,
    ...table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd()),
  ].join('\n');
}

/** Columns by white space only: readable, and easy to cut. */
// oxfmt-ignore
const BORDERLESS = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '',
};

/** A digest as people compare it. */
export function shortDigest(digest: string | null | undefined): string {
  return digest === null || digest === undefined ? '-' : digest.replace(/^(sha256:)?([0-9a-f]{12})[0-9a-f]*$/, '$2');
}

/** A time without the parts nobody reads. */
export function shortTime(time: string | null | undefined): string {
  return time === null || time === undefined ? '-' : `${time.slice(0, 16).replace('T', ' ')}Z`;
}

/** Milliseconds as `1.5 s`, `2 min 3 s` or `4 h 5 min`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long ago something was, in the largest unit that says enough. */
export function ago(at: string, now: Date): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - Date.parse(at)) / 60_000));
  if (minutes < 60) return `${minutes} min ago`;
  return minutes < 72 * 60 ? `${Math.floor(minutes / 60)} h ago` : `${Math.floor(minutes / 1440)} days ago`;
}
