import { describe, expect, it } from 'vitest';
import { MUTANTS } from './_mutants.ts';
import { runSeeds } from './_run.ts';

/** Every one is caught within so many sequences; most are by the first few. */
const WITHIN = 400;
const SEEDS = Array.from({ length: WITHIN }, (_, index) => index + 1);

describe('a pipeline in which', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s is caught', async (_, mutant) => {
    const failure = await runSeeds(SEEDS, { mutant, isShrunk: false });
    expect(failure?.violations).not.toBeUndefined();
    // It is caught by what it breaks, not by falling over.
    expect(failure?.violations.join('\n')).not.toMatch(/Error|do not come to rest/);
  });

  it('nothing is broken is not: the same sequences pass', async () => {
    expect(await runSeeds(SEEDS.slice(0, 50))).toBeUndefined();
  });
});
