import type { ComparisonMeasure } from '../comparison/measure.ts';
import { type Costs, costThreshold } from '../policy/policy.ts';
import type { Interval } from '../comparison/judgement.ts';
import { comparePaired, sum } from '../statistics/paired-comparison.ts';

/** What acting on one model's predictions would have come to. */
export interface CostOfModel {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  /** In the policy's unit, per 1,000 rows. */
  readonly per1000: number;
}

/** The cost of deciding by each model at the threshold that the policy's costs ask for. */
export interface CostFigures {
  readonly costs: Costs;
  readonly threshold: number;
  readonly champion: CostOfModel;
  readonly candidate: CostOfModel;
  /** What it would cost per 1,000 rows to act on no row, and on every row. */
  readonly never: number;
  readonly always: number;
  /** Relative saving of the candidate over the champion, by the paired t test on clusters. */
  readonly saving: { readonly point: number; readonly interval: Interval } | null;
}

/** The cost at a policy's cost matrix; undefined where decisions were not counted at its threshold. */
export function costOf(measure: ComparisonMeasure, costs: Costs, confidence: number): CostFigures | undefined {
  const { decisions, clusters, comparedRows } = measure;
  const threshold = costThreshold(costs);
  if (decisions?.threshold !== threshold || comparedRows === 0) return undefined;
  const positives = new Map(clusters.map((cluster) => [cluster.cluster, cluster.positives]));
  const counted = decisions.clusters.map(({ cluster, champion, candidate }) => {
    const of = ({ flagged, hits }: typeof champion) => ({
      truePositives: hits,
      falsePositives: flagged - hits,
      falseNegatives: (positives.get(cluster) ?? 0) - hits,
    });
    return { champion: of(champion), candidate: of(candidate) };
  });
  type Counts = Omit<CostOfModel, 'per1000'>;
  const priced = ({ falsePositives, falseNegatives }: Counts): number =>
    falsePositives * costs.falsePositive + falseNegatives * costs.falseNegative;
  const total = (side: 'champion' | 'candidate'): CostOfModel => {
    const all: Counts = {
      truePositives: sum(counted, (each) => each[side].truePositives),
      falsePositives: sum(counted, (each) => each[side].falsePositives),
      falseNegatives: sum(counted, (each) => each[side].falseNegatives),
    };
    return { ...all, per1000: (1000 * priced(all)) / comparedRows };
  };
  const came = sum(clusters, (cluster) => cluster.positives);
  const saving = comparePaired(
    counted.map(({ champion, candidate }) => ({ champion: priced(champion), candidate: priced(candidate) })),
    confidence,
  );
  return {
    costs,
    threshold,
    champion: total('champion'),
    candidate: total('candidate'),
    never: (1000 * came * costs.falseNegative) / comparedRows,
    always: (1000 * (comparedRows - came) * costs.falsePositive) / comparedRows,
    saving:
      saving === undefined ? null : { point: saving.improvement, interval: [saving.lowerBound, saving.upperBound] },
  };
}
