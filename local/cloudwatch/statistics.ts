/** What was measured at one instant: a single value, or the statistics of several. */
export interface Sample {
  /** Milliseconds of the epoch. */
  readonly at: number;
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly unit: string;
}

/** The statistics that are served; no percentiles. */
export const STATISTICS = ['Sum', 'Average', 'Minimum', 'Maximum', 'SampleCount'] as const;
export type Statistic = (typeof STATISTICS)[number];

/** A statistic of one period. */
export interface Datapoint {
  /** When the period begins, in milliseconds of the epoch. */
  readonly at: number;
  readonly sampleCount: number;
  readonly value: number;
}

/** A sample of `count` equal values. */
export const sampleOf = (at: number, value: number, unit: string, count = 1): Sample => ({
  at,
  count,
  sum: value * count,
  minimum: value,
  maximum: value,
  unit,
});

/** Both samples as one, at the instant of the first. */
export const merged = (a: Sample, b: Sample): Sample => ({
  at: a.at,
  count: a.count + b.count,
  sum: a.sum + b.sum,
  minimum: Math.min(a.minimum, b.minimum),
  maximum: Math.max(a.maximum, b.maximum),
  unit: a.unit,
});

/**
 * The datapoints of the periods of `period` milliseconds that begin at `start` or after it, oldest first; a period without
 * samples has none. A period contains its beginning and not its end.
 */
export function datapoints(
  samples: readonly Sample[],
  statistic: Statistic,
  start: number,
  period: number,
): readonly Datapoint[] {
  const totals = new Map<number, Sample>();
  for (const sample of samples) {
    if (sample.at < start) continue;
    const at = start + Math.floor((sample.at - start) / period) * period;
    const total = totals.get(at);
    totals.set(at, total === undefined ? sample : merged(total, sample));
  }
  return [...totals]
    .toSorted(([a], [b]) => a - b)
    .map(([at, total]) => ({ at, sampleCount: total.count, value: statisticOf(total, statistic) }));
}

function statisticOf({ count, sum, minimum, maximum }: Sample, statistic: Statistic): number {
  switch (statistic) {
    case 'Sum':
      return sum;
    case 'Average':
      return sum / count;
    case 'Minimum':
      return minimum;
    case 'Maximum':
      return maximum;
    case 'SampleCount':
      return count;
  }
}
