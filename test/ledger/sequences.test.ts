import { describe, expect, it } from 'vitest';
import { seedOfThisRun } from '#test/_helpers/seed.ts';
import { LENGTH, runSeeds } from './_run.ts';

/** A twentieth of what `npm run bench -- ledger-sequences` runs: each run of the tests adds as many fresh ones. */
const SEQUENCES = 1000;
const SHARDS = 10;
const EACH = SEQUENCES / SHARDS;

const seed = seedOfThisRun('ledger sequences', 'npx vitest run test/ledger/sequences.test.ts');

describe('three environments and the people', () => {
  it.each(Array.from({ length: SHARDS }, (_, shard) => seed + shard * EACH))(
    `${EACH} sequences of ${LENGTH} commands from seed %i break nothing`,
    async (first) => {
      const failure = await runSeeds(Array.from({ length: EACH }, (_, index) => first + index));
      if (failure === undefined) return;
      const keep = `npm run bench -- ledger-sequences --seed ${failure.seed}`;
      expect.fail(
        `seed ${failure.seed} breaks the ledger; "${keep}" keeps it as a test:\n${JSON.stringify(failure, null, 1)}`,
      );
    },
  );
});
