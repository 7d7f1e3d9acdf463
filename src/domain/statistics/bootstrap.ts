/** An interval by resampling, with what anybody needs to draw the same one. */
export interface BootstrapInterval {
  readonly interval: readonly [lower: number, upper: number];
  readonly resamples: number;
  readonly seed: number;
}

/** Fixed, so that the same sums have the same interval on every machine and on every day. */
export const RESAMPLES = 2000;
export const SEED = 20_010_101;

/**
 * The percentile interval of a statistic when whole clusters are drawn with replacement (Cameron, Gelbach & Miller 2008).
 * It is shown beside the t interval and never decides: with few clusters it is too narrow.
 * @param clusters how many there are
 * @param statistic of how often each cluster was drawn; the array is reused; what is not a number is left out
 * @param confidence of each bound, one-sided, e.g. 0.95; percentiles are interpolated linearly
 * @returns undefined where fewer than half of the resamples have a statistic
 */
export function bootstrap(
  clusters: number,
  statistic: (drawn: Uint32Array) => number,
  confidence: number,
): BootstrapInterval | undefined {
  const random = mulberry32(SEED);
  const drawn = new Uint32Array(clusters);
  const found = new Float64Array(RESAMPLES);
  let count = 0;
  for (let resample = 0; resample < RESAMPLES; resample += 1) {
    drawn.fill(0);
    for (let draw = 0; draw < clusters; draw += 1) {
      const index = Math.floor(random() * clusters);
      drawn[index] = (drawn[index] ?? 0) + 1;
    }
    const value = statistic(drawn);
    if (Number.isFinite(value)) found[count++] = value;
  }
  if (count < RESAMPLES / 2) return undefined;
  const sorted = found.subarray(0, count).sort();
  return {
    interval: [percentile(sorted, 1 - confidence), percentile(sorted, confidence)],
    resamples: RESAMPLES,
    seed: SEED,
  };
}

/** The value below which a share of sorted values lies, interpolated linearly (Hyndman & Fan 1996, type 7). */
function percentile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  return below + (place - Math.floor(place)) * ((sorted[Math.ceil(place)] ?? Number.NaN) - below);
}

/** The numbers from 0 to below a count in a random order (Durstenfeld 1964, Algorithm 235). */
export function shuffled(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  return order;
}

/** Numbers in [0, 1) that are the same for the same seed (Tommy Ettinger's mulberry32: 32 bits of state, good enough to draw days). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
