const HOUR_MS = 3_600_000;

/**
 * Hours for which what is served has not been checked for drift: since the newest check that came to its end, or since the
 * environment began to serve the model, whichever is later. Nothing is unchecked where nothing is served. It counts from the
 * first release and not from the current one: otherwise frequent promotions would hide that no check ever comes.
 *
 * @param servedSince when the environment began to serve the model; undefined where it does not
 * @param ends when checks ended
 */
export function hoursUnchecked(servedSince: string | undefined, ends: readonly string[], now: Date): number {
  if (servedSince === undefined) return 0;
  const last = Math.max(...[servedSince, ...ends].map((each) => Date.parse(each)));
  return Math.max(0, (now.getTime() - last) / HOUR_MS);
}
