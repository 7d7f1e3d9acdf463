import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { meanLoss } from '#domain/statistics/ratio.ts';

/** What SciPy says of the same clusters: mean-loss.py. */
const CASES = z
  .array(
    z.object({
      clusters: z.array(z.object({ per: z.number(), loss: z.number() })),
      confidence: z.number(),
      mean: z.number(),
      interval: z.tuple([z.number(), z.number()]),
    }),
  )
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'mean-loss.json'), 'utf8')));

describe('meanLoss', () => {
  it.each(CASES)('of $clusters.length clusters at $confidence', ({ clusters, confidence, mean, interval }) => {
    const found = meanLoss(clusters, confidence);
    expect(found?.mean).toBeCloseTo(mean, 12);
    expect(found?.interval[0]).toBeCloseTo(interval[0], 10);
    expect(found?.interval[1]).toBeCloseTo(interval[1], 10);
  });

  it('says nothing of one cluster, of none, and of what is no number', () => {
    expect(meanLoss([{ per: 10, loss: 3 }], 0.95)).toBeUndefined();
    expect(meanLoss([], 0.95)).toBeUndefined();
    expect(
      meanLoss(
        [
          { per: 10, loss: Number.NaN },
          { per: 10, loss: 3 },
        ],
        0.95,
      ),
    ).toBeUndefined();
  });
});
