import { logAdded, logMeanOdds, logMixture } from './odds.ts';

/** An e-value at which its hypothesis is rejected: it is ever reached with a probability of at most 1 % (Ville 1939, Étude critique de la notion de collectif). */
export const REJECTS_AT = 100;
export const LOG_REJECTS_AT = Math.log(REJECTS_AT);

/** The largest e-value that is shown, and the smallest that is no 0: a ledger's numbers are within these, and nobody needs more. */
const LARGEST = 1e12;
const SMALLEST = 1e-12;

/** An e-value by its logarithm, as it is recorded and shown. */
export function eValueOf(log: number): number {
  const value = Math.min(LARGEST, Math.exp(log));
  return value < SMALLEST ? 0 : value;
}

/** Odds ratios of a regression; equal weights. Smaller ones need more traffic than a canary has, larger ones are found by these as well. */
export const REGRESSIONS = [1.5, 2, 3, 5, 10] as const;
const EQUAL_WEIGHTS = REGRESSIONS.map(() => 1 / REGRESSIONS.length);

/** From this odds ratio on a candidate is bad. */
export const BAD_ODDS = 2;
/** Odds ratios of a candidate that is not bad, as alternatives to `BAD_ODDS`. */
const GOOD_ODDS = [1, 0.5] as const;

/** The weight of a regression that is there from the start; the rest is of those that begin later. */
const FROM_START = 0.5;
/** Of what is left, the share that begins in each later minute: half within 1,000 of them. */
const BEGINS_LATER = Math.LN2 / 1000;

/** The weight of all regressions that begin in this step or before it. */
function weightUntil(step: number): number {
  return 1 - (1 - FROM_START) * Math.exp(-BEGINS_LATER * step);
}

/** All odds ratios that a step needs, and where among them the bad one is. */
const COMPARED = [...REGRESSIONS, ...GOOD_ODDS, BAD_ODDS];
const LOG_COMPARED = COMPARED.map((odds) => Math.log(odds));
const AT_BAD = COMPARED.length - 1;

/** Evidence about one kind of bad request, of an arm compared with others. */
export interface ComparisonProcess {
  /** Adds some requests: how many each side had, and how many of those were bad. */
  add(own: number, ownBad: number, others: number, othersBad: number): void;
  /** The logarithm of the e-value against "no more likely to be bad than the others'". */
  logRegression(): number;
  /** The logarithms of the e-values against "at least `BAD_ODDS` times the others' odds", one for each alternative of `GOOD_ODDS`. */
  logNotBad(): readonly number[];
}

/**
 * The e-processes of a comparison of two arms. Given how many requests of each side there are and how many are bad, what chance decides under the
 * hypothesis is which of them are the arm's own: each step multiplies by the conditional likelihood ratio (Turner, Ly & Grünwald 2024, Generic
 * e-variables for exact sequential k-sample tests that allow for optional stopping; the 2 x 2 case by Fisher's conditioning), and a mixture over
 * the alternatives stays an e-process (Robbins 1970, Statistical methods related to the law of the iterated logarithm; Howard, Ramdas, McAuliffe
 * & Sekhon 2021, Time-uniform, nonparametric, nonasymptotic confidence sequences, on mixtures; Johari, Koomen, Pekelis & Walsh 2022, Always valid
 * inference, on experiments that are looked at). The margins carry the share of each step, so that shares may drift, and an outage in which
 * everything fails multiplies by 1. The mixture is over the minute in which a regression begins as well, as it is 1 until then: otherwise each
 * healthy hour would have to be made up for before a later regression is found (Shafer, Shen, Vereshchagin & Vovk 2011, Test martingales, Bayes
 * factors and p-values, on mixtures; Shin, Ramdas & Rinaldo 2024, E-detectors, on weighted starting times). Where one side has no requests,
 * requests wait for those of the other: which wait depends on no outcome.
 */
export function comparisonProcess(): ComparisonProcess {
  const regression = new Float64Array(REGRESSIONS.length).fill(-Infinity);
  const notBad = new Float64Array(GOOD_ODDS.length);
  let [own, ownBad, others, othersBad] = [0, 0, 0, 0];
  let [steps, begun, logRegression] = [0, 0, 0];
  return {
    add(moreOwn, moreOwnBad, moreOthers, moreOthersBad) {
      own += moreOwn;
      ownBad += moreOwnBad;
      others += moreOthers;
      othersBad += moreOthersBad;
      if (own === 0 || others === 0) return;
      const bad = ownBad + othersBad;
      if (bad > 0 && bad < own + others) {
        const means = logMeanOdds(own, others, bad, COMPARED);
        const ratio = (index: number): number => ownBad * LOG_COMPARED[index]! - means[index]!;
        // What begins in a step that says nothing is what begins in the next one that does.
        const beginning = Math.log(weightUntil(steps) - begun);
        begun = weightUntil(steps);
        for (let index = 0; index < REGRESSIONS.length; index += 1)
          regression[index] = logAdded(regression[index]!, beginning) + ratio(index);
        logRegression = logAdded(logMixture(EQUAL_WEIGHTS, regression), Math.log(1 - begun));
        for (let index = 0; index < GOOD_ODDS.length; index += 1)
          notBad[index]! += ratio(REGRESSIONS.length + index) - ratio(AT_BAD);
      }
      steps += 1;
      [own, ownBad, others, othersBad] = [0, 0, 0, 0];
    },
    logRegression: () => logRegression,
    logNotBad: () => [...notBad],
  };
}

/** Error rates below the tolerated one, as shares of it, that are alternatives to it. */
const GOOD_SHARES = [0, 0.2, 0.5] as const;
/**
 * Weights of those, then of `GOOD_ODDS`. Most is on "no errors at all": 1 % is excluded by 478 requests without an error, 459 would be the
 * fewest, ln(100) / -ln(0.99). Each of the others needs ln(20) = 3.0 more of its logarithm than it would alone.
 */
const FINISH_WEIGHTS = [0.8, 0.05, 0.05, 0.05, 0.05] as const;

/** Evidence that a candidate's error rate is below the tolerated one. */
export interface ToleratedProcess {
  add(requests: number, errors: number): void;
  /** The logarithms of the e-values against "at least the tolerated rate", one for each alternative. */
  logBelow(): readonly number[];
}

/**
 * Binomial e-processes over all requests of the candidate against "at least this rate": likelihood ratios of smaller rates to it, which shrink in
 * the mean under each larger rate (Wald 1945, Sequential tests of statistical hypotheses, section on the binomial; Ramdas, Grünwald, Vovk &
 * Shafer 2023, Game-theoretic statistics and safe anytime-valid inference, for composite hypotheses).
 * @param rate the tolerated error rate, between 0 and 1
 */
export function toleratedProcess(rate: number): ToleratedProcess {
  const ofError = GOOD_SHARES.map((share) => Math.log(share));
  const ofAnswer = GOOD_SHARES.map((share) => Math.log1p(-share * rate) - Math.log1p(-rate));
  const logs = new Float64Array(GOOD_SHARES.length);
  return {
    add(requests, errors) {
      for (let index = 0; index < logs.length; index += 1) {
        if (errors > 0) logs[index]! += errors * ofError[index]!;
        logs[index]! += (requests - errors) * ofAnswer[index]!;
      }
    },
    logBelow: () => [...logs],
  };
}

/**
 * The logarithm of the e-value against "bad": at least the tolerated rate *and* at least `BAD_ODDS` times the odds of the others. What rejects
 * either rejects both, so that a mean with fixed weights is an e-value (Vovk & Wang 2021, E-values: calibration, combination and applications,
 * section 3). The champion's rate is nowhere estimated: an estimate that is by chance too high would let bad candidates finish.
 */
export function logNotBadAtAll(tolerated: Pick<ToleratedProcess, 'logBelow'>, notBad: readonly number[]): number {
  return logMixture(FINISH_WEIGHTS, [...tolerated.logBelow(), ...notBad]);
}

/**
 * The logarithm of the mean of e-values, which is an e-value whatever their dependence (Vovk & Wang 2021, section 3).
 * @param logs logarithms of e-values, at least one
 */
export function logMean(logs: readonly number[]): number {
  return logMixture(
    logs.map(() => 1 / logs.length),
    logs,
  );
}

/** Evidence from pairs of answers to the same request. */
export interface PairedProcess {
  /** Adds the pairs that differ: bad of one side only. */
  add(ownOnly: number, otherOnly: number): void;
  /** The logarithm of the e-value against "the own side is not the one that is bad more often". */
  logMore(): number;
  /** The same against "neither is". */
  logDifferent(): number;
}

/**
 * The sequential form of McNemar's test (McNemar 1947, Note on the sampling error of the difference between correlated proportions): pairs that
 * agree say nothing, and of those that differ each is the own side's with a probability of one half. Mixtures over the same five odds, and their
 * inverses where both directions count.
 */
export function pairedProcess(): PairedProcess {
  const more = new Float64Array(REGRESSIONS.length);
  const less = new Float64Array(REGRESSIONS.length);
  return {
    add(ownOnly, otherOnly) {
      for (const [index, odds] of REGRESSIONS.entries()) {
        const [likely, unlikely] = [Math.log((2 * odds) / (1 + odds)), Math.log(2 / (1 + odds))];
        more[index]! += ownOnly * likely + otherOnly * unlikely;
        less[index]! += otherOnly * likely + ownOnly * unlikely;
      }
    },
    logMore: () => logMixture(EQUAL_WEIGHTS, more),
    logDifferent: () => logMean([logMixture(EQUAL_WEIGHTS, more), logMixture(EQUAL_WEIGHTS, less)]),
  };
}
