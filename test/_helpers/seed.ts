import { randomInt } from 'node:crypto';

/** The variable that gives a run the seed of an earlier one. */
const VARIABLE = 'GATEHOUSE_SEED';

/** The seed of this run: a fresh one, or what `GATEHOUSE_SEED` says. It is printed, so that the run can be had again. */
export function seedOfThisRun(what: string, replay: string): number {
  const given = process.env[VARIABLE];
  const seed = given === undefined ? randomInt(2 ** 31) : Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`${VARIABLE} is "${given}", expected an integer`);
  console.log(`${what}: seed ${seed}; again: ${VARIABLE}=${seed} ${replay}`);
  return seed;
}
