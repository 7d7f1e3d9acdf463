import type { ComparisonMeasure } from './measure.ts';
import { type ComparisonRule, neededImprovement } from '../policy/policy.ts';
import { figuresOf } from './figures.ts';
import type { ComparisonFigures, ComparisonJudgement, ComparisonVerdict, ComparisonRuleName } from './judgement.ts';
import { clustersToProve, type PairedComparison, sum } from '../statistics/paired-comparison.ts';
import { isConstant, whyDegenerate, whyInvalid } from './validity.ts';
import { percent } from '../text.ts';

type Decision = Pick<ComparisonJudgement, 'verdict' | 'rule' | 'reason' | 'change'>;

/**
 * Whether the candidate takes the champion's place, from sums by cluster and counts alone. In this order: input that is
 * wrong is INVALID; identical and degenerate predictions are never promoted; too short a holdout is INCONCLUSIVE; a gain
 * that is too good over a trained champion waits for a human; a gain that is proven, and large enough to matter, is
 * promoted, one that is likely provisionally, unless a slice or a guard vetoes it; and what is not proven is rejected only
 * where the interval does not hold the required gain.
 */
export function judgeComparison(measure: ComparisonMeasure, rule: ComparisonRule): ComparisonJudgement {
  const flaws = whyInvalid(measure, rule);
  if (flaws.length > 0) return invalidComparison(flaws, rule, measure);
  const figures = figuresOf(measure, rule);
  return { ...scope(measure, rule), ...decide(measure, rule, figures), figures: withoutGain(figures) };
}

/** The verdict on input that is wrong. */
export function invalidComparison(
  flaws: readonly string[],
  rule: ComparisonRule,
  measure?: ComparisonMeasure,
): ComparisonJudgement {
  return {
    ...(measure === undefined
      ? { confidence: rule.confidence, clusters: 0, rows: 0, positives: 0 }
      : scope(measure, rule)),
    ...decision('INVALID', 'valid-input', flaws.join('; '), 'correct the input at its source, and compare again'),
    figures: null,
  };
}

function scope({ clusters, comparedRows }: ComparisonMeasure, { confidence }: ComparisonRule) {
  const positives = sum(clusters, (cluster) => cluster.positives);
  return { confidence, clusters: clusters.length, rows: comparedRows, positives };
}

function withoutGain(found: ReturnType<typeof figuresOf>): ComparisonFigures | null {
  if (found === undefined) return null;
  const { gain: _gain, ...figures } = found;
  return figures;
}

function decision(verdict: ComparisonVerdict, rule: ComparisonRuleName, reason: string, change: string): Decision {
  return { verdict, rule, reason, change };
}

function decide(measure: ComparisonMeasure, rule: ComparisonRule, figures: ReturnType<typeof figuresOf>): Decision {
  const { clusters, comparedRows, candidate, champion, greatestDifference } = measure;
  const days = measure.blockDays === undefined ? 'days' : `blocks of ${measure.blockDays} days`;
  const unit = measure.clusterColumn === 'day' ? days : 'clusters';
  if (greatestDifference === 0) {
    const reason = 'the predictions are the same as the champion’s: nothing would change';
    return decision('REJECT', 'identical-artefact', reason, 'a candidate that differs from the champion');
  }
  const degenerate = whyDegenerate(
    candidate,
    sum(clusters, ({ positives }) => positives),
    comparedRows,
  );
  if (degenerate !== undefined) {
    const change = 'a model whose probabilities differ from row to row';
    return decision('REJECT', 'degenerate', `candidate: ${degenerate}`, change);
  }
  if (clusters.length < rule.minimumDays || comparedRows < rule.minimumRows) {
    const lacking = [
      { found: clusters.length, needed: rule.minimumDays, what: unit },
      { found: comparedRows, needed: rule.minimumRows, what: 'rows' },
    ].filter(({ found, needed }) => found < needed);
    const reason = lacking
      .map(({ found, needed, what }) => `the models were compared on ${found} ${what}, ${needed} are needed`)
      .join('; ');
    const change = `a holdout of at least ${rule.minimumDays} ${unit} and ${rule.minimumRows} rows with labels`;
    return decision('INCONCLUSIVE', 'holdout', reason, change);
  }
  if (figures === undefined) {
    return decision('INCONCLUSIVE', 'holdout', 'the comparison is not a number', 'sums of losses that are finite');
  }
  // A baseline is there to be beaten, by as much as a model knows: a leak shows against a trained champion only.
  if (figures.point > rule.tooGood && !isConstant(champion)) {
    const reason = `a gain of ${percent(figures.point)} over a trained champion is above ${percent(rule.tooGood)}: too good to be true until a human has looked for a leak`;
    const change = 'look for a feature that exists only after the event, and for rows that training saw';
    return decision('INCONCLUSIVE', 'too-good', reason, change);
  }
  return weigh(figures, rule, unit);
}

function weigh(figures: NonNullable<ReturnType<typeof figuresOf>>, rule: ComparisonRule, unit: string): Decision {
  const { point, interval, gain, champion, candidate } = figures;
  const [lower, upper] = interval;
  const needed = neededImprovement(rule);
  const reason = `log loss ${candidate.logLoss.toFixed(4)} against the champion's ${champion.logLoss.toFixed(4)}: ${percent(point)}, lower bound ${percent(lower)}; needed: at least ${percent(needed)} with a lower bound above 0`;
  const { provisional } = rule;
  const isProven = lower > 0 && point >= needed;
  const isLikely =
    provisional !== undefined && point >= provisional.minimumImprovement && lower > -provisional.tolerance;
  if (!isProven && !isLikely) {
    if (upper < needed)
      return decision('REJECT', 'superiority', reason, 'a better candidate: more data like this would not prove it');
    return decision('INCONCLUSIVE', 'superiority', reason, whatWouldProve(gain, needed, rule, unit));
  }
  const vetoed = vetoBySlices(figures, rule) ?? vetoByGuards(figures, rule);
  if (vetoed !== undefined) return { ...vetoed, reason: `${vetoed.reason}; ${reason}` };
  if (isProven) {
    const change = `a gain below ${percent(needed)}, a lower bound of 0 or less, or a veto by a slice or a guard`;
    return decision('PROMOTE', 'superiority', reason, change);
  }
  const why = `provisionally: at least ${percent(provisional?.minimumImprovement ?? 0)} with a lower bound above ${percent(-(provisional?.tolerance ?? 0))}`;
  return decision(
    'PROMOTE_PROVISIONALLY',
    'provisional',
    `${reason}; ${why}`,
    whatWouldProve(gain, needed, rule, unit),
  );
}

/** What would make a gain proven that is not. */
function whatWouldProve(gain: PairedComparison, needed: number, rule: ComparisonRule, unit: string): string {
  if (gain.improvement < needed) return `a gain of at least ${percent(needed)} with a lower bound above 0`;
  const count = clustersToProve(gain, rule.confidence);
  return count === undefined
    ? 'a larger gain, or one that is steadier'
    : `the same gain over about ${Math.max(count, gain.clusters + 1)} ${unit} instead of ${gain.clusters}, or a steadier one`;
}

function vetoBySlices({ slices }: ComparisonFigures, { slices: rule }: ComparisonRule): Decision | undefined {
  const bad = slices.filter(({ vetoes }) => vetoes);
  if (bad.length === 0) return undefined;
  const each = bad.map(({ column, value, point }) => `${column} = ${value}: ${percent(point ?? 0)}`).join(', ');
  const reason = `slices are worse by more than ${percent(rule.tolerance)}, at ${percent(rule.level)} after Holm: ${each}`;
  return decision('REJECT', 'slices', reason, 'a candidate that does not lose there what it gains elsewhere');
}

function vetoByGuards(figures: ComparisonFigures, { guards }: ComparisonRule): Decision | undefined {
  const { brier, champion, candidate } = figures;
  const found: string[] = [];
  if (brier !== null && brier.point < -guards.brier && brier.interval !== null && brier.interval[1] < 0)
    found.push(`the Brier score is worse by ${percent(-brier.point)}, allowed: ${percent(guards.brier)}`);
  const [before, after] = [champion.averagePrecision, candidate.averagePrecision];
  if (before !== null && after !== null && after < before * (1 - guards.averagePrecision)) {
    const allowed = `allowed: ${percent(guards.averagePrecision)} less`;
    found.push(`the average precision falls from ${before.toFixed(4)} to ${after.toFixed(4)}, ${allowed}`);
  }
  const [was, is] = [champion, candidate].map(({ calibration }) => Math.abs(Math.log(calibration.point ?? 0)));
  if (is !== undefined && was !== undefined && is > Math.log(guards.calibration) && is > was) {
    const ratio = candidate.calibration.point?.toFixed(2) ?? 'none';
    found.push(`observed / predicted is ${ratio}, further from 1 than the champion's and than ${guards.calibration}`);
  }
  if (found.length === 0) return undefined;
  return decision('REJECT', 'guards', found.join('; '), 'a candidate that gains in log loss without such a loss');
}
