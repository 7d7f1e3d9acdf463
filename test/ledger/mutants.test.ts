import { describe, expect, it } from 'vitest';
import { MUTANTS } from './_mutants.ts';
import { runSeeds } from './_run.ts';

/** Every one is caught within so many sequences; most are by the first few. */
const WITHIN = 400;
const SEEDS = Array.from({ length: WITHIN }, (_, index) => index + 1);
/** The seed that catches a mutant, where the first few do not: it is tried first. One that has stopped doing so costs time only. */
const CAUGHT_BY: Readonly<Record<string, number>> = {
  'a commit does not check who holds the lock': 21,
  'opening does not check who holds the lock': 154,
  'the pointer is written over whatever is there': 74,
  'approvals are not used up': 15,
  'an approval never expires': 15,
  'a rejection is not heard': 134,
  'evidence never expires': 15,
  'evidence that was given on something else is accepted': 26,
  'a hotfix leaves no pending propagation': 15,
  'a pending propagation refuses nothing': 81,
  'an alarm of another epoch rolls back what is there': 8,
  'one person brings a policy into force': 8,
  'an audit record is left out': 6,
  'the chain’s head is written over': 8,
  'what was rolled back upstream stays asked for': 10,
  'a commit does not check again what was rolled back upstream': 664,
  'a commit does not ask which policy is in force': 40,
  'a promotion changes after its end': 21,
};

describe('a pipeline in which', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s is caught', async (name, mutant) => {
    const seeds = new Set([...(name in CAUGHT_BY ? [CAUGHT_BY[name] as number] : []), ...SEEDS]);
    const failure = await runSeeds(seeds, { mutant, isShrunk: false });
    expect(failure?.violations).not.toBeUndefined();
    // It is caught by what it breaks, not by falling over.
    expect(failure?.violations.join('\n')).not.toMatch(/Error|do not come to rest/);
  });

  it('nothing is broken is not: the same sequences pass', async () => {
    expect(await runSeeds(new Set([...SEEDS.slice(0, 5), ...Object.values(CAUGHT_BY)]))).toBeUndefined();
  });
});
