import { readFileSync } from 'node:fs';
import { z } from 'zod';

const Bounds = z.tuple([z.number(), z.number()]);
const Paired = z.object({
  improvement: z.number(),
  standardError: z.number(),
  lowerBound: z.number(),
  upperBound: z.number(),
  worse: z.number(),
});
const Side = z.object({
  prediction: z.array(z.number()),
  logLoss: z.array(z.number()),
  brier: z.array(z.number()),
  auc: z.number(),
  averagePrecision: z.number(),
  pairs: z.array(z.array(z.number())),
});
const Rows = z.object({
  confidence: z.number(),
  cluster: z.array(z.number()),
  label: z.array(z.number()),
  champion: Side,
  candidate: Side,
  bootstrap: z.object({ gain: Bounds, auc: Bounds, difference: Bounds }).optional(),
  paired: Paired.optional(),
});
export type Rows = z.infer<typeof Rows>;

/** Sums of a cluster: rows, positives, the champion's loss, the candidate's. */
const Sums = z.tuple([z.number(), z.number(), z.number(), z.number()]);
const Live = z.object({
  days: z.number(),
  rows: z.number(),
  byEntityAndDay: z.array(Sums),
  byDay: z.array(Sums),
  fast: Paired,
  slow: Paired,
  verdict: z.string(),
  rule: z.string(),
});

/** What SciPy and scikit-learn find, by fixture.py. */
export const fixture = z
  .object({
    paired: z.array(
      z.object({
        confidence: z.number(),
        champion: z.array(z.number()),
        candidate: z.array(z.number()),
        expected: Paired,
      }),
    ),
    holm: z.array(z.object({ values: z.array(z.number()), adjusted: z.array(z.number()) })),
    ranking: z.array(Rows),
    live: z.array(Live),
  })
  .parse(JSON.parse(readFileSync(new URL('fixture.json', import.meta.url), 'utf8')));

/** The sizes and the positives of each cluster of some rows. */
export function clustersOf({ cluster, label }: Rows): { readonly rows: number; readonly positives: number }[] {
  return Array.from({ length: Math.max(...cluster) + 1 }, (_, index) => {
    const labels = label.filter((_, row) => cluster[row] === index);
    return { rows: labels.length, positives: labels.filter((one) => one === 1).length };
  });
}
