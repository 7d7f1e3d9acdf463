import { describe, expect, it } from 'vitest';
import { logicalDay } from '#use-cases/as-of.ts';
import { planDriftCheck } from '#use-cases/drift/plan-drift-check.ts';
import { planReview } from '#use-cases/probation/plan-review.ts';
import { openRetrainingRun } from '#use-cases/retraining/open-retraining-run.ts';
import { planValidation } from '#use-cases/validation/plan-validation.ts';
import { scene } from './_scene.ts';
import { MODEL } from './_environments.ts';

const clock = { now: () => new Date('2026-03-02T09:00:00.000Z') };

describe('the logical day of an operation', () => {
  it.each(['2026-03-02', '2001-01-20', '2026-03-02T08:59:00Z'])('is the day of %s', (given) => {
    expect(logicalDay(given, clock)).toBe(given.slice(0, 10));
  });

  it.each(['2026-03-03', '2030-01-01T00:00:00Z'])('has come: %s is a fault', (given) => {
    expect(() => logicalDay(given, clock)).toThrow(expect.objectContaining({ code: 'AS_OF_FUTURE' }));
  });

  it('cannot be forged into the future in any machine that begins by it', async () => {
    const here = await scene();
    await here.begin();
    const { prod } = here;
    const dev = here.environment('dev');
    const asOf = '2026-03-03';
    const given = {
      model: MODEL,
      asOf,
      trigger: 'person:op',
      run: 'r',
      candidates: [{ release: here.baseline, version: '1' }],
    };
    for (const task of [
      planReview(prod),
      planDriftCheck(prod),
      openRetrainingRun(dev),
      planValidation({ ...dev, champion: () => Promise.reject(new Error('nobody asks')) }),
    ])
      await expect(task(given)).rejects.toMatchObject({ code: 'AS_OF_FUTURE' });
  });
});
