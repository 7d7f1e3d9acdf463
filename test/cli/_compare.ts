import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from '#cli/commands/release/compare.ts';
import { RefusedError } from '#cli/refusal.ts';
import { testContext } from './_context.ts';

export let folder = '';

const Answer = z.looseObject({
  verdict: z.string(),
  rule: z.string(),
  reason: z.string(),
  change: z.string(),
  point: z.number().nullable(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
  slices: z.array(z.looseObject({ value: z.string(), rows: z.number() })),
});

type Answer = z.infer<typeof Answer>;

/** What `release compare` answers as JSON. */
export async function compare(files: Readonly<Record<string, string>>, policy?: string): Promise<Answer> {
  const { context, text } = testContext({ ...files, ...(policy === undefined ? {} : { policy }) });
  // What cannot be compared is told, and refused as well.
  await run(context).catch((error: unknown) => {
    if (!(error instanceof RefusedError && error.refusal.rule === 'comparison-valid')) throw error;
  });
  return Answer.parse(JSON.parse(text('json')));
}

/** Writes a file of the folder of these tests. */
export async function file(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

export type Line = readonly (string | number)[];

/** Writes lines as CSV. */
export const csv = (name: string, columns: string, rows: readonly Line[]): Promise<string> =>
  file(name, [columns, ...rows.map((row) => row.join(','))].join('\n'));

/** Ten days of 300 rows; the candidate knows what moves the label better than the champion, by `better`. */
export const ROWS = Array.from({ length: 3000 }, (_, index) => {
  const wave = (period: number): number => Math.sin((index * 2 * Math.PI) / period);
  const truth = 0.3 + 0.2 * wave(17.3) + 0.05 * wave(911);
  // The fractional parts of multiples of the golden ratio fall evenly: labels without a generator.
  const label = (index * 0.618033988749895) % 1 < truth ? 1 : 0;
  return { id: `row-${index}`, label, day: `2001-03-${String(1 + Math.floor(index / 300)).padStart(2, '0')}`, truth };
});

export const champion = ROWS.map(({ id, truth }): [string, number] => [id, 0.3 + 0.6 * (truth - 0.3)]);

export const candidate = ROWS.map(({ id, truth }): [string, number] => [id, 0.3 + 0.85 * (truth - 0.3)]);

export const labels = ROWS.map(({ id, label, day }, index): [string, number, string, string] => [
  id,
  label,
  day,
  index % 3 === 0 ? 'ORD' : 'JFK',
]);

export const LABELS = 'row_id,label,cluster,slice';

export const PREDICTIONS = 'row_id,prediction';

export let sound: { labels: string; champion: string; candidate: string };

/** Ten days of predictions by a champion and a better candidate, as files. */
export async function begin(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-compare-'));
  sound = {
    labels: await csv('labels.csv', LABELS, labels),
    champion: await csv('champion.csv', PREDICTIONS, champion),
    candidate: await csv('candidate.csv', PREDICTIONS, candidate),
  };
}

/** Removes what was made. */
export async function end(): Promise<void> {
  await rm(folder, { recursive: true });
}
