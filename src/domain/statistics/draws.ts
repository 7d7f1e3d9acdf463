/** Above this mean a binomial count is drawn from the normal distribution: its skewness is below 0.15 there. */
const NORMAL_FROM = 50;

/**
 * A binomial count: by inversion, term by term (Devroye 1986, Non-uniform random variate generation, chapter X.4), or rounded from a normal
 * number where its mean is large.
 * @param trials a whole number
 * @param random numbers in [0, 1)
 */
export function drawBinomial(trials: number, probability: number, random: () => number): number {
  if (trials <= 0 || probability <= 0) return 0;
  if (probability >= 1) return trials;
  if (probability > 0.5) return trials - drawBinomial(trials, 1 - probability, random);
  const mean = trials * probability;
  if (mean >= NORMAL_FROM) {
    const drawn = mean + Math.sqrt(mean * (1 - probability)) * drawNormal(random);
    return Math.min(trials, Math.max(0, Math.round(drawn)));
  }
  const odds = probability / (1 - probability);
  let left = random();
  let term = Math.exp(trials * Math.log1p(-probability));
  for (let count = 0; count < trials; count += 1) {
    if (left < term) return count;
    left -= term;
    term *= (odds * (trials - count)) / (count + 1);
    // What rounding leaves over is beyond every term.
    if (term < Number.EPSILON && count > mean) return count;
  }
  return trials;
}

/** A standard normal number (Box & Muller 1958, A note on the generation of random normal deviates). */
export function drawNormal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
