import { expect, it } from 'vitest';
import { LENGTH, runSeeds } from './_run.ts';

/** How many sequences `npm test` runs, over both files and all shards. */
const SEQUENCES = 20_000;
const SHARDS = 40;
const EACH = SEQUENCES / SHARDS;

/** Half of the shards: two files, so that two workers share the work. Each shard's seeds are fixed. */
export function shards(half: 0 | 1): void {
  const own = Array.from({ length: SHARDS / 2 }, (_, index) => half * (SHARDS / 2) + index);
  it.each(own)(`shard %i: ${EACH} sequences of ${LENGTH} commands break nothing`, async (shard) => {
    const first = 1 + shard * EACH;
    const failure = await runSeeds(Array.from({ length: EACH }, (_, index) => first + index));
    // Whoever reads this keeps it: node bench/ledger-sequences.ts --seed SEED writes it down as a counterexample.
    expect(failure && JSON.stringify(failure, null, 1)).toBeUndefined();
  });
}
