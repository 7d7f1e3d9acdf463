/** Terms below this share of the sum no longer change it. */
const NEGLIGIBLE = 1e-17;
/** Where a running product is scaled down, so that it stays finite. */
const LARGE = 1e250;
const LOG_LARGE = Math.log(LARGE);

/**
 * The logarithm of the mean of `odds ** k` over the central hypergeometric distribution of k: of `bad` requests among `own + others` that all are
 * equally likely to be bad, k are among the `own`. It is the normaliser of Fisher's noncentral hypergeometric distribution (Fisher 1935, The
 * logic of inductive inference, section on the 2 x 2 table; Cornfield 1956, A statistical problem arising from retrospective studies), so that `k
 * ln(odds) - logMeanOdds` is the log-likelihood ratio of that odds ratio to 1, given how many requests are bad.
 * @param own requests of the arm, a whole number
 * @param others requests of the arms that it is compared with
 * @param bad bad requests of them all, at most `own + others`
 * @param ratios odds ratios, above 0
 * @returns one for each ratio, exact but for rounding: terms are summed in both directions from the central mode until they are negligible
 */
export function logMeanOdds(own: number, others: number, bad: number, ratios: readonly number[]): readonly number[] {
  const least = Math.max(0, bad - others);
  const most = Math.min(own, bad);
  if (least === most) return ratios.map((odds) => least * Math.log(odds));
  const mode = Math.min(most, Math.max(least, Math.floor(((own + 1) * (bad + 1)) / (own + others + 2))));
  const table = { own, others, bad, least, most, mode };
  const central = logSum(table, 1);
  return ratios.map((odds) => mode * Math.log(odds) + logSum(table, odds) - central);
}

interface MarginTable {
  readonly own: number;
  readonly others: number;
  readonly bad: number;
  readonly least: number;
  readonly most: number;
  readonly mode: number;
}

/** The logarithm of the sum of all terms, each relative to the one at the central mode. */
function logSum({ own, others, bad, least, most, mode }: MarginTable, odds: number): number {
  let [term, sum, scale] = [1, 1, 0];
  for (let k = mode; k < most; k += 1) {
    const ratio = (odds * (own - k) * (bad - k)) / ((k + 1) * (others - bad + k + 1));
    term *= ratio;
    sum += term;
    if (ratio < 1 && term < sum * NEGLIGIBLE) break;
    if (sum > LARGE) [term, sum, scale] = [term / LARGE, sum / LARGE, scale + LOG_LARGE];
  }
  const above = Math.log(sum) + scale;
  [term, sum, scale] = [1, 0, 0];
  for (let k = mode; k > least; k -= 1) {
    const ratio = (k * (others - bad + k)) / (odds * (own - k + 1) * (bad - k + 1));
    term *= ratio;
    sum += term;
    if (ratio < 1 && term < sum * NEGLIGIBLE) break;
    if (sum > LARGE) [term, sum, scale] = [term / LARGE, sum / LARGE, scale + LOG_LARGE];
  }
  return sum === 0 ? above : logAdded(above, Math.log(sum) + scale);
}

/** `ln(exp(a) + exp(b))` without overflow. */
export function logAdded(a: number, b: number): number {
  const [large, small] = a > b ? [a, b] : [b, a];
  return large === -Infinity ? -Infinity : large + Math.log1p(Math.exp(small - large));
}

/** `ln(sum of weights[i] * exp(logs[i]))` without overflow. */
export function logMixture(weights: readonly number[], logs: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let index = 0; index < weights.length; index += 1) largest = Math.max(largest, logs[index] ?? -Infinity);
  if (largest === -Infinity) return -Infinity;
  let sum = 0;
  for (const [index, weight] of weights.entries()) sum += weight * Math.exp((logs[index] ?? -Infinity) - largest);
  return largest + Math.log(sum);
}
