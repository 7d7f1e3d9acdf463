import { setTimeout as pause } from 'node:timers/promises';

/** How long a target may take to pull what control recorded: the reconciler comes by every few minutes when an announcement got lost. */
export const PULL_DEADLINE_MS = 15 * 60_000;

/** How a wait looks again: often at first, then every second. */
const FIRST_MS = 200;
const SLOWEST_MS = 1000;

/**
 * Polls until there is an answer, the deadline has passed or nobody waits any more; undefined means that there is none.
 * @param slowest milliseconds between two looks, at most
 */
export async function poll<T>(
  look: () => Promise<T | undefined>,
  milliseconds: number,
  signal?: AbortSignal,
  slowest = SLOWEST_MS,
): Promise<T | undefined> {
  const deadline = Date.now() + milliseconds;
  for (let interval = FIRST_MS; ; interval = Math.min(slowest, interval * 1.5)) {
    const found = await look();
    if (found !== undefined || Date.now() > deadline) return found;
    await pause(interval, undefined, signal && { signal }).catch(() => undefined);
    if (signal?.aborted === true) return undefined;
  }
}
