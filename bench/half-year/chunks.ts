// Work in pieces, as many at once as there are cores, with a bar that says how far it is.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { z } from 'zod';

const WIDTH = 24;

/** Does `work` on each item, some at once. */
export function atOnce<Item>(
  title: string,
  items: readonly Item[],
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  return inPieces(title, items, 1, (piece) => Promise.all(piece.map(work)));
}

/** Does `work` on pieces of at most `size` items, some at once; the order in which they end does not matter. */
export async function inPieces<Item>(
  title: string,
  items: readonly Item[],
  size: number,
  work: (piece: readonly Item[]) => Promise<unknown>,
): Promise<void> {
  const pieces = Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
  const bar = progress(title, items.length);
  const queue = pieces.values();
  const worker = async (): Promise<void> => {
    for (const piece of queue) {
      await work(piece);
      bar(piece.length);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** A bar that is drawn again with each step in a terminal, and told at each tenth elsewhere. */
export function progress(title: string, total: number): (steps?: number) => void {
  let done = 0;
  const began = performance.now();
  const { stderr } = process;
  return (steps = 1) => {
    const before = Math.floor((10 * done) / total);
    done += steps;
    const filled = Math.round((WIDTH * done) / total);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    const line = `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${title} ${done}/${total}, ${seconds} s`;
    if (stderr.isTTY) stderr.write(`\r${line}${done >= total ? '\n' : ''}`);
    else if (done >= total || Math.floor((10 * done) / total) > before) stderr.write(`${line}\n`);
  };
}

/** How often the time that was taken is written down, in seconds: what a run that is killed loses at most. */
const NOTED = 5;
const Spent = z.strictObject({ seconds: z.number(), ended: z.number().nullable() });

/**
 * Counts the seconds that the work takes, with those of earlier runs that were stopped. `end` says how many it took until
 * it was done for the first time: run again, nearly everything is there already.
 */
export function stopwatch(file: string): { readonly end: () => number } {
  const known = existsSync(file) ? Spent.parse(JSON.parse(readFileSync(file, 'utf8'))) : { seconds: 0, ended: null };
  const began = performance.now();
  const note = (isEnd: boolean): number => {
    const seconds = known.seconds + (performance.now() - began) / 1000;
    const ended = known.ended ?? (isEnd ? seconds : null);
    writeFileSync(file, JSON.stringify({ seconds, ended }));
    return ended ?? seconds;
  };
  mkdirSync(dirname(file), { recursive: true });
  setInterval(() => note(false), 1000 * NOTED).unref();
  return { end: () => note(true) };
}
