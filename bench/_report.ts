// What the benches share: figures beside their anchors, as a table, as JSON, and in docs/performance.md.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { z } from 'zod';

const RESULTS = join(import.meta.dirname, 'results');

/** One measured figure beside its anchor, measured in the same run. `ratio` is always ours / anchor. */
const Figure = z.strictObject({
  what: z.string(),
  unit: z.string(),
  ours: z.number(),
  /** Null where there is nothing to compare with; then `ratio` is null too. */
  anchor: z.number().nullable(),
  anchorName: z.string(),
  ratio: z.number().nullable(),
  /** What must hold, in words of `ratio` and `ours`, so that it says whether smaller or larger is better. */
  target: z.string(),
  /** Null where nothing is asked. */
  met: z.boolean().nullable(),
});
export type Figure = z.infer<typeof Figure>;

/** Under what circumstances figures were measured: `bench/results/<name>.about.json`. */
const About = z.strictObject({
  title: z.string(),
  about: z.string(),
  measuredAt: z.iso.datetime(),
  machine: z.string(),
  versions: z.record(z.string(), z.string()),
});
type About = z.infer<typeof About>;

/** Bounds on a figure; all of them must hold. */
export interface Target {
  readonly ratioAtMost?: number;
  readonly ratioAtLeast?: number;
  readonly oursAtMost?: number;
  readonly oursAtLeast?: number;
}

/** A figure that says by itself whether its target is met. Without an anchor, name null and say why in its place. */
export function figure(
  what: string,
  unit: string,
  ours: number,
  [anchorName, anchor]: readonly [name: string, value: number | null],
  target: Target,
): Figure {
  const ratio = anchor === null ? null : ours / anchor;
  const bounds: readonly (readonly [string, number | null, '<=' | '>=', number | undefined])[] = [
    ['ratio', ratio, '<=', target.ratioAtMost],
    ['ratio', ratio, '>=', target.ratioAtLeast],
    ['ours', ours, '<=', target.oursAtMost],
    ['ours', ours, '>=', target.oursAtLeast],
  ];
  const asked = bounds.flatMap(([of, value, sign, bound]) => (bound === undefined ? [] : [{ of, value, sign, bound }]));
  return {
    what,
    unit,
    ours: rounded(ours),
    anchor: anchor === null ? null : rounded(anchor),
    anchorName,
    ratio: ratio === null ? null : rounded(ratio),
    target: asked.map(({ of, sign, bound }) => `${of} ${sign} ${rounded(bound)}`).join(', '),
    met:
      asked.length === 0
        ? null
        : asked.every(({ value, sign, bound }) => value !== null && (sign === '<=' ? value <= bound : value >= bound)),
  };
}

/** The value below which a share of the samples lies (nearest rank). */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Milliseconds that something takes. */
export async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Prints the figures and keeps them with the machine and the versions; `npm run docs` puts them into the documentation. */
export function report(
  name: string,
  of: { readonly title: string; readonly about: string; readonly versions: Readonly<Record<string, string>> },
  figures: readonly Figure[],
): void {
  const about: About = {
    ...of,
    measuredAt: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}`,
    versions: { node: process.versions.node, ...of.versions },
  };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(z.array(Figure).parse(figures), null, 2)}\n`);
  writeFileSync(join(RESULTS, `${name}.about.json`), `${JSON.stringify(About.parse(about), null, 2)}\n`);
  const table = new Table({ head: [...COLUMNS], style: { head: [], border: [] } });
  table.push(...figures.map(cells));
  console.log(`\n${of.title}\n${table.toString()}`);
}

/** Every bench's figures as Markdown, from what is kept of its last run. */
export function resultsMarkdown(): string {
  if (!existsSync(RESULTS)) return '';
  const files = readdirSync(RESULTS).filter((file) => file.endsWith('.json') && !file.endsWith('.about.json'));
  return files
    .toSorted()
    .map((file) => {
      const name = file.slice(0, -'.json'.length);
      const figures = z.array(Figure).parse(read(file));
      const { title, about, measuredAt, machine, versions } = About.parse(read(`${name}.about.json`));
      const software = Object.entries(versions).map(([of, version]) => `${of} ${version}`);
      return [
        `### ${title}`,
        about,
        figuresMarkdown(figures),
        `\`npm run bench -- ${name}\`, ${measuredAt.slice(0, 10)}, on ${machine}; ${software.join(', ')}.`,
      ].join('\n\n');
    })
    .join('\n\n');
}

/** Figures as a table. */
export function figuresMarkdown(figures: readonly Figure[]): string {
  return [COLUMNS, COLUMNS.map(() => '---'), ...figures.map(cells)].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const COLUMNS = ['what', 'unit', 'ours', 'anchor', 'anchor is', 'ratio', 'target', 'met'] as const;

function cells(figure: Figure): string[] {
  const { what, unit, ours, anchor, anchorName, ratio, target, met } = figure;
  return [
    what,
    unit,
    shown(ours),
    shown(anchor),
    anchorName,
    shown(ratio),
    target,
    met === null ? '' : met ? 'yes' : 'NO',
  ];
}

function shown(value: number | null): string {
  return value === null ? '' : value.toLocaleString('en', { maximumSignificantDigits: 3 });
}

/** To four digits: more would be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(join(RESULTS, file), 'utf8'));
}
