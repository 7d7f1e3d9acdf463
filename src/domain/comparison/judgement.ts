import type { BootstrapInterval } from '../statistics/bootstrap.ts';

/** What a comparison comes to. */
export type ComparisonVerdict = 'PROMOTE' | 'PROMOTE_PROVISIONALLY' | 'REJECT' | 'INCONCLUSIVE' | 'INVALID';

/** The rule that decided, each of which is a row of the procedure. */
export type ComparisonRuleName =
  | 'valid-input'
  | 'identical-artefact'
  | 'degenerate'
  | 'holdout'
  | 'too-good'
  | 'slices'
  | 'guards'
  | 'superiority'
  | 'provisional';

export type Interval = readonly [lower: number, upper: number];

/** An estimate with its interval; no interval where there are too few or too many clusters for one. */
export interface Estimate {
  readonly point: number;
  readonly interval: Interval | null;
}

/** What one model does on the compared rows. */
export interface ModelFigures {
  /** Mean log loss per row, in nats. */
  readonly logLoss: number;
  /** Mean squared error of the probabilities. */
  readonly brier: number;
  readonly averagePrecision: number | null;
  /** Observed positives / predicted ones: over all rows, and the least and the greatest of a cluster; null where none is predicted. */
  readonly calibration: { readonly point: number | null; readonly range: Interval | null };
  /** Area under the ROC curve with its clustered bootstrap interval: reported, never decided on. */
  readonly auc: Estimate | null;
}

/** The comparison on the rows that have one value of a slice column. */
export interface SliceJudgement {
  readonly column: string;
  readonly value: string;
  readonly rows: number;
  readonly clusters: number;
  /** Relative gain; null where a slice has fewer than two clusters. */
  readonly point: number | null;
  readonly interval: Interval | null;
  /** p-value against "not worse", adjusted by Holm for all slices. */
  readonly worse: number | null;
  readonly vetoes: boolean;
}

/** What was found on the compared rows; gains are relative to the champion. */
export interface ComparisonFigures {
  /** The gain in log loss and its t interval: each bound is one-sided at the policy's confidence. */
  readonly point: number;
  readonly interval: Interval;
  readonly standardError: number;
  /** The same interval by resampling clusters: shown, never decided on. */
  readonly bootstrap: BootstrapInterval | null;
  readonly champion: ModelFigures;
  readonly candidate: ModelFigures;
  /** The gain in Brier score, by the same t test. */
  readonly brier: Estimate | null;
  /** The candidate's area under the ROC curve less the champion's. */
  readonly aucDifference: Estimate | null;
  readonly slices: readonly SliceJudgement[];
}

/** A verdict with everything that it rests on. */
export interface ComparisonJudgement {
  readonly verdict: ComparisonVerdict;
  readonly rule: ComparisonRuleName;
  readonly reason: string;
  /** What would change it. */
  readonly change: string;
  readonly confidence: number;
  readonly clusters: number;
  readonly rows: number;
  readonly positives: number;
  /** Null where nothing could be computed. */
  readonly figures: ComparisonFigures | null;
}
