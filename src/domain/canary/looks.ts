/** Seconds between two looks at a canary, at least and at most. */
const SHORTEST = 60;
const LONGEST = 900;
/** A canary is looked at again after this share of the time that it has lasted. */
const SHARE = 1 / 20;

/**
 * Seconds until a canary is looked at again: each minute in its first twenty, later after a twentieth of its age, so that what reads all minutes
 * again does so about a hundred times in a day. What its arms fail the champion answers meanwhile.
 */
export function lookAfter(startedAt: Date, now: Date): number {
  const age = Math.max(0, now.getTime() - startedAt.getTime()) / 1000;
  return Math.round(Math.min(LONGEST, Math.max(SHORTEST, age * SHARE)));
}
