import { beforeEach, describe, expect, it } from 'vitest';
import { readPointer } from '#read-model/pointer.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { MODEL } from './_environments.ts';
import { prod, begin, letIn, serve, review } from './_probation.ts';
import { day } from './_watched.ts';

beforeEach(begin);

describe('the review of a release that was proven', () => {
  it('rolls it back when it is clearly worse', async () => {
    const release = await letIn(0.02);
    await serve(release, day(0), day(3));
    expect((await review(day(3), { fast: fortnight(-0.05) })).path.at(-1)).toBe('Rolled back');
  });

  it('lets it be otherwise, and is over when a probation would be', async () => {
    const release = await letIn(0.02);
    await serve(release, day(0), day(7));
    expect((await review(day(6), { slow: fortnight(-0.01) })).path.at(-1)).toBe('Watched');
    expect((await review(day(7), { slow: fortnight(-0.01) })).path.at(-1)).toBe('Skipped');
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(release);
  });
});
