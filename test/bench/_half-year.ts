import { comparisonRule } from '#test/domain/policy/_rule.ts';
import { type Losses } from '../../bench/half-year/outcome.ts';

/** A release that loses so much per row, on the held-out days and while it serves. */
export interface Made {
  readonly id: string;
  readonly week: number;
  readonly tested: number;
  readonly live: number;
}

export const made = (week: number, tested: number, live = tested): Made => ({ id: `r${week}`, week, tested, live });

export const RULE = comparisonRule({ provisional: { minimumImprovement: 0.0025, tolerance: 0.01 } });

export const losses: Losses<Made> = ({ live }) => ({
  rows: 100,
  positives: 10,
  predicted: 10,
  logLoss: 100 * live,
  brier: 9,
  cost: 30,
});
