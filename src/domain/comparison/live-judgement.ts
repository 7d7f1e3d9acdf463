import type { ComparisonMeasure } from './measure.ts';
import type { ComparisonRule, ProbationRule } from '../policy/policy.ts';
import { judgeComparison } from './judge.ts';
import type { ComparisonJudgement, Interval } from './judgement.ts';
import { comparePaired } from '../statistics/paired-comparison.ts';
import { whyInvalid } from './validity.ts';
import { percent } from '../text.ts';

/**
 * What is known of a release that is served: its published predictions (the candidate's) against the shadow of the release
 * that it replaced (the champion's), on the rows of the days since it was promoted.
 */
export interface LiveEvidence {
  /** By entity and day, with the labels that had been there for the fast rule's hours. Null where nothing was served yet. */
  readonly fast: ComparisonMeasure | null;
  /** By the comparison's own clusters, with all labels that had arrived. Null where nothing was served yet. */
  readonly slow: ComparisonMeasure | null;
  /** Whole days since it was promoted. */
  readonly days: number;
  /** Whether it was promoted provisionally: what was proven before is watched by the fast rule alone. */
  readonly isProvisional: boolean;
}

/** How much of what was served has a label. */
export interface Maturity {
  readonly served: number;
  readonly matured: number;
  readonly share: number;
}

/** What the fast rule found, on labels that are old enough. */
export interface FastFigures {
  readonly labels: number;
  readonly clusters: number;
  readonly point: number;
  readonly interval: Interval;
}

/** A verdict on a release that is being served, with everything that it rests on. */
export interface LiveJudgement {
  readonly verdict: 'CONFIRM' | 'ROLL_BACK' | 'WAIT';
  readonly rule: 'fast' | 'slow' | 'too-early';
  readonly reason: string;
  /** What would change it. */
  readonly change: string;
  readonly maturity: Maturity;
  /** Null where there are too few labels, or none that could be judged. */
  readonly fast: FastFigures | null;
  /** What the slow rule says now; it decides when the days are over. Null where nothing was served yet. */
  readonly slow: ComparisonJudgement | null;
}

/**
 * Whether a release that is served is confirmed, rolled back, or watched further. The fast rule rolls back what is clearly
 * worse: enough labels, each there for some hours, and a loss that is large and proven by the paired t test on the sums of
 * each entity and day. When the days are over, the slow rule decides on what is provisional by the comparison that let it
 * in: what would be promoted again, be it provisionally, is confirmed, and so is what is better on the labels that there are
 * and too little to be sure; it was likely on held-out rows, and is on live ones. All else is rolled back: what is worse, what
 * is wrong, and what has too few days with labels.
 */
export function judgeLive(evidence: LiveEvidence, comparison: ComparisonRule, probation: ProbationRule): LiveJudgement {
  const slow = evidence.slow === null ? null : judgeComparison(evidence.slow, liveRule(comparison, probation));
  const fast = judgeFast(evidence.fast, comparison, probation);
  const found = { maturity: maturityOf(evidence.slow), fast: fast.figures, slow };
  const { days, isProvisional } = evidence;
  if (fast.isWorse) {
    const change = `a loss of at most ${percent(probation.fast.loss)}, or one that is not proven to be above ${percent(probation.fast.provenLoss)}`;
    return { verdict: 'ROLL_BACK', rule: 'fast', reason: fast.reason, change, ...found };
  }
  if (days < probation.days || !isProvisional) {
    const reason = `day ${days} of ${probation.days}: ${fast.reason}; ${told(slow)}`;
    const end = isProvisional ? `${probation.days} days, when it is confirmed or rolled back, or ` : '';
    const change = `${end}a proven loss of more than ${percent(probation.fast.loss)}`;
    return { verdict: 'WAIT', rule: 'too-early', reason, change, ...found };
  }
  const isBetter = isConfirming(slow);
  const reason = isBetter ? told(slow) : `after ${days} days it is not seen to be the better one: ${told(slow)}`;
  const change = slow?.change ?? 'predictions that are published, and labels that arrive';
  return { verdict: isBetter ? 'CONFIRM' : 'ROLL_BACK', rule: 'slow', reason, change, ...found };
}

/** Whether the comparison of what was served says better: proven, likely, or by its point where only proof is wanting. */
function isConfirming(slow: ComparisonJudgement | null): boolean {
  switch (slow?.verdict) {
    case 'PROMOTE':
    case 'PROMOTE_PROVISIONALLY':
      return true;
    case 'INCONCLUSIVE':
      return slow.rule === 'superiority' && (slow.figures?.point ?? 0) > 0;
    default:
      return false;
  }
}

/**
 * The comparison's rule on what was served. Fewer days have labels than a holdout has; and no gain is too good to be true:
 * what was published before its labels arrived cannot have known them.
 */
function liveRule(comparison: ComparisonRule, { minimumDays }: ProbationRule): ComparisonRule {
  return { ...comparison, minimumDays, tooGood: 1 };
}

function told(slow: ComparisonJudgement | null): string {
  return slow === null ? 'nothing was served yet' : `${slow.verdict} by ${slow.rule}: ${slow.reason}`;
}

function maturityOf(measure: ComparisonMeasure | null): Maturity {
  if (measure === null) return { served: 0, matured: 0, share: 0 };
  const { featureRows: served, comparedRows: matured } = measure;
  return { served, matured, share: served === 0 ? 0 : matured / served };
}

interface FastJudgement {
  readonly isWorse: boolean;
  readonly reason: string;
  readonly figures: FastFigures | null;
}

function judgeFast(
  measure: ComparisonMeasure | null,
  comparison: ComparisonRule,
  { fast: rule }: ProbationRule,
): FastJudgement {
  const undecided = (reason: string): FastJudgement => ({ isWorse: false, reason, figures: null });
  const labels = measure?.comparedRows ?? 0;
  if (measure === null || labels < rule.minimumLabels)
    return undecided(`${labels} labels have been there for ${rule.hours} h, and ${rule.minimumLabels} are needed`);
  const flaws = whyInvalid(measure, comparison);
  if (flaws.length > 0) return undecided(`nothing can be said: ${flaws.join('; ')}`);
  // In one order whatever the order in which they came, because sums of floating-point numbers depend on it.
  const clusters = measure.clusters.toSorted((a, b) => (a.cluster < b.cluster ? -1 : 1));
  const losses = clusters.map(({ champion, candidate }) => ({
    champion: champion.logLoss,
    candidate: candidate.logLoss,
  }));
  const gain = comparePaired(losses, comparison.confidence);
  if (gain === undefined) return undecided('nothing can be said: the comparison is not a number');
  const { improvement: point, lowerBound, upperBound } = gain;
  const isWorse = upperBound < -rule.provenLoss && point < -rule.loss;
  const allowed = `allowed: ${percent(rule.loss)}, or ${percent(rule.provenLoss)} for certain`;
  return {
    isWorse,
    reason: `on ${labels} labels it is worse than the shadow by ${percent(-point)}, at least by ${percent(-upperBound)}; ${allowed}`,
    figures: { labels, clusters: gain.clusters, point, interval: [lowerBound, upperBound] },
  };
}

/** What comes of a release on probation where the policy in force knows none any more: it may not be served on it. */
export const UNGOVERNED: LiveJudgement = {
  verdict: 'ROLL_BACK',
  rule: 'slow',
  reason: 'the policy in force knows no probation',
  change: 'a probation in the policy',
  maturity: { served: 0, matured: 0, share: 0 },
  fast: null,
  slow: null,
};
