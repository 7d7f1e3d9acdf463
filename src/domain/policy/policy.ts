import { z } from 'zod';
import { GateId } from '../gates/gate.ts';
import { ColumnName, ModelName } from '../model/definition.ts';
import { SeenText } from '../text.ts';

/** The environments into which a release can be promoted. */
export const TargetEnvironment = z.enum(['staging', 'prod']);
export type TargetEnvironment = z.infer<typeof TargetEnvironment>;

/**
 * `initial` admits a model's baseline where there is no champion yet; `hotfix` admits to prod what staging has not seen;
 * the others are named after their target.
 */
export const Transition = z.enum(['initial', 'staging', 'prod', 'hotfix']);
export type Transition = z.infer<typeof Transition>;

/** That a person asks for a release to come to prod past staging, and why. */
export const Hotfix = z.strictObject({ reason: SeenText.min(3).max(500) });
export type Hotfix = z.infer<typeof Hotfix>;

/** The groups of the user pool: a role is a group. */
export const Role = z.enum(['ml-engineer', 'ml-lead', 'platform', 'risk']);
export type Role = z.infer<typeof Role>;

/**
 * How two models are compared, and what is asked of the newer one. Gains are relative to the champion's log loss. Which way
 * is tighter stands in `tighten.ts`.
 */
export const ComparisonRule = z
  .strictObject({
    /** What rows that rise and fall together have in common: the unit of the test. A day, or a column. */
    cluster: ColumnName,
    /** Smallest gain that counts as an improvement, e.g. 0.005. */
    minimumImprovement: z.number().min(0).max(0.5),
    /** The same where training is seeded, because two seeds of one recipe differ by up to 0.85 %. */
    minimumImprovementSeeded: z.number().min(0).max(0.5),
    /** Whether what training leaves depends on its seed. */
    seeded: z.boolean(),
    /** One-sided confidence of each bound, e.g. 0.95. */
    confidence: z.number().min(0.5).max(0.999),
    /** Fewest clusters (days, as a rule) and rows on which anything is decided. */
    minimumDays: z.int().min(2).max(365),
    minimumRows: z.int().min(1),
    /** Smallest relative gain in log loss over a constant that predicts the base rate. */
    minimumSkill: z.number().min(0).max(1),
    /**
     * What passes provisionally, where the transition knows a probation: a relative gain that is likely and small, whose
     * lower bound is above minus the tolerance. Without it nothing does.
     */
    provisional: z
      .strictObject({ minimumImprovement: z.number().min(0).max(0.5), tolerance: z.number().min(0).max(0.5) })
      .exactOptional(),
    /** A larger gain over a champion that is no baseline is held for a human: it smells of a leak. */
    tooGood: z.number().gt(0).max(1),
    /** The labels are doubted where observed / predicted is beyond this factor, up or down, for both models alike. */
    baseRateFactor: z.number().gt(1).max(100),
    /** Columns by whose `largest` values rows are judged apart; one that is worse at the Holm level, by more than the tolerance, vetoes. */
    slices: z.strictObject({
      columns: z.array(ColumnName),
      largest: z.int().min(1).max(50),
      level: z.number().gt(0).max(0.5),
      tolerance: z.number().min(0).max(1),
    }),
    /** What must not be lost for a gain in log loss. */
    guards: z.strictObject({
      /** Relative loss in Brier score that vetoes where it is proven. */
      brier: z.number().min(0).max(1),
      /** Relative loss in average precision (the area under the precision-recall curve) that vetoes. */
      averagePrecision: z.number().min(0).max(1),
      /** Factor of observed / predicted, up or down, beyond which a candidate that is worse calibrated than the champion is vetoed. */
      calibration: z.number().gt(1).max(100),
    }),
  })
  .superRefine((rule, context) => {
    for (const [path, message] of contradictions(rule)) context.addIssue({ code: 'custom', path: [...path], message });
  });
export type ComparisonRule = z.infer<typeof ComparisonRule>;

/** The gain that is asked for: more where training is seeded. */
export function neededImprovement(
  rule: Pick<ComparisonRule, 'minimumImprovement' | 'minimumImprovementSeeded' | 'seeded'>,
): number {
  return rule.seeded ? rule.minimumImprovementSeeded : rule.minimumImprovement;
}

/** Where a rule contradicts itself: each value in order by itself, and together nothing could be as it says. */
function contradictions(
  rule: Omit<ComparisonRule, 'provisional'> & { readonly provisional?: ComparisonRule['provisional'] | undefined },
): (readonly [path: readonly string[], message: string])[] {
  const { provisional, slices } = rule;
  const needed = neededImprovement(rule);
  return [
    ...(rule.minimumImprovementSeeded < rule.minimumImprovement
      ? [[['minimumImprovementSeeded'], `at least minimumImprovement, ${rule.minimumImprovement}`] as const]
      : []),
    ...(rule.tooGood <= needed
      ? [[['tooGood'], `more than the gain that is asked for, ${needed}: else nothing could ever pass`] as const]
      : []),
    ...(provisional !== undefined && provisional.minimumImprovement > needed
      ? [[['provisional', 'minimumImprovement'], `at most the gain that is asked for, ${needed}`] as const]
      : []),
    ...(new Set(slices.columns).size < slices.columns.length
      ? [[['slices', 'columns'], 'each column once'] as const]
      : []),
    ...(slices.columns.includes(rule.cluster)
      ? [[['slices', 'columns'], `other columns than the cluster's, ${rule.cluster}`] as const]
      : []),
  ];
}

/** What a wrong decision costs, in a unit of the model's own: to act for nothing, and not to act where it was needed. */
export const Costs = z.strictObject({ falsePositive: z.number().positive(), falseNegative: z.number().positive() });
export type Costs = z.infer<typeof Costs>;

/** The probability from which on acting costs less than not acting, if probabilities are what they say (Elkan 2001, The foundations of cost-sensitive learning). */
export function costThreshold({ falsePositive, falseNegative }: Costs): number {
  return falsePositive / (falsePositive + falseNegative);
}

/** How many rows a day may have: within a tolerance of the median of the same weekday in the weeks before. */
export const RowCountRule = z
  .strictObject({
    /** Share of the usual rows, up or down, e.g. 0.3. */
    tolerance: z.number().gt(0).max(1),
    /** Weeks that say what is usual, and the fewest of them on which a day is judged. */
    weeks: z.int().min(1).max(52),
    minimumWeeks: z.int().min(1).max(52),
  })
  .superRefine(({ weeks, minimumWeeks }, context) => {
    if (minimumWeeks > weeks)
      context.addIssue({ code: 'custom', path: ['minimumWeeks'], message: `at most weeks, ${weeks}` });
  });
export type RowCountRule = z.infer<typeof RowCountRule>;

/** What a suite of expectations speaks of: partitions as they were admitted, or the rows that a model is trained on. */
export const DataKind = z.enum(['events', 'labels', 'features']);
export type DataKind = z.infer<typeof DataKind>;

/** What is asked of the data before anything is learned from it, and of each day that arrives. */
export const DataRule = z.strictObject({
  rowCounts: RowCountRule,
  /** The kinds for which a model must have a suite, `models/<name>/expectations/<kind>.json`. */
  expectations: z.array(DataKind).exactOptional(),
  /** Largest share of a run's days that may have been withdrawn at their source. */
  withdrawn: z.number().min(0).max(1).exactOptional(),
  /** Smallest share of the training events whose label had arrived. */
  labelCoverage: z.number().min(0).max(1).exactOptional(),
  /** Largest share of the labels whose event would be one of the training events' days and that meet none. */
  unmatchedLabels: z.number().min(0).max(1).exactOptional(),
  /** Largest share of the labelled training events whose label had arrived before they happened. */
  earlyLabels: z.number().min(0).max(1).exactOptional(),
  /** Largest share of the labels that had arrived and that a later one of the same event replaces. */
  replacedLabels: z.number().min(0).max(1).exactOptional(),
  /** Largest area under the ROC curve that one input may have by itself: above it, it knows the label. Chance alone has 0.5. */
  leakageAuc: z.number().gt(0.5).max(1).exactOptional(),
});
export type DataRule = z.infer<typeof DataRule>;

/**
 * How a release that a gate passed provisionally is judged while it is served, against the one that it replaced: thrown out
 * by the fast rule as soon as it is clearly worse, confirmed or taken back by the slow one when its days are over.
 */
export const ProbationRule = z
  .strictObject({
    /** Days after which the slow rule decides: the comparison's own, on what was served. */
    days: z.int().min(1).max(365),
    /** Fewest clusters on which it confirms. Fewer than `days`, because the newest days have no labels yet. */
    minimumDays: z.int().min(2).max(365),
    fast: z.strictObject({
      /** Fewest labels on which the fast rule decides, and for how many hours each has to be there. */
      minimumLabels: z.int().min(1),
      hours: z.number().min(0).max(720),
      /** Relative loss beyond which the release is taken back, e.g. 0.02, where it is proven to be more than `provenLoss`. */
      loss: z.number().min(0).max(1),
      provenLoss: z.number().min(0).max(1),
    }),
  })
  .superRefine(({ days, minimumDays, fast }, context) => {
    const wrong = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (minimumDays > days) wrong(['minimumDays'], `at most days, ${days}: else nothing could ever be confirmed`);
    if (fast.provenLoss > fast.loss) wrong(['fast', 'provenLoss'], `at most fast.loss, ${fast.loss}`);
  });
export type ProbationRule = z.infer<typeof ProbationRule>;

/** What is watched of the release that is served, and what follows. It alarms and retrains; it promotes nothing and takes nothing back. */
export const DriftRule = z.strictObject({
  /** Inputs that healthy days leave as they are: when one of them moves, people are told and dev retrains. All others are shown. */
  stable: z.array(ColumnName).refine((columns) => new Set(columns).size === columns.length, 'each column once'),
  /** Population stability index above which a stable input has moved, e.g. 0.1. */
  index: z.number().gt(0).max(1),
  /** Fewest rows on either side on which anything is said. */
  minimumRows: z.int().min(1),
  /** How far a day's disagreement with the shadow may exceed the holdout's, as a factor, e.g. 1.3. */
  disagreement: z.number().gt(1).max(100),
  /** Days of data that lie between two retrainings that drift starts. */
  retrainAtMostEveryDays: z.int().min(1).max(365),
});
export type DriftRule = z.infer<typeof DriftRule>;

/** How many people of a role have to agree. */
export const ApprovalRule = z.strictObject({ role: Role, count: z.int().min(1).max(5) });
export type ApprovalRule = z.infer<typeof ApprovalRule>;

/** What a transition needs. */
export const TransitionRule = z.strictObject({
  gates: z.array(GateId).min(1),
  approvals: z.array(ApprovalRule),
  /** Whether an offer opens the promotion by itself; otherwise a person asks for it. */
  opensOnOffer: z.boolean(),
  /** Hours after which evidence no longer counts. */
  evidenceValidHours: z.number().positive(),
  /** Hours that people have to decide. */
  approvalHours: z.number().positive(),
  /** How a release that a gate passed provisionally is judged while it is served. Without it none is let in. */
  probation: ProbationRule.exactOptional(),
});
export type TransitionRule = z.infer<typeof TransitionRule>;

const rules = {
  /** Who brings another policy into force: at least two people. What is in force says so, not what is to replace it. */
  activation: z
    .array(ApprovalRule)
    .min(1)
    .refine((asked) => asked.reduce((people, { count }) => people + count, 0) >= 2, 'at least two people'),
  comparison: ComparisonRule,
  /** Without it no data is checked. */
  data: DataRule.exactOptional(),
  /** What is watched of the release that is served. Without it no drift is looked for, which is told of as a check that is missing. */
  drift: DriftRule.exactOptional(),
  transitions: z.strictObject({
    initial: TransitionRule,
    staging: TransitionRule,
    prod: TransitionRule,
    /** Without it nothing comes to prod past staging. */
    hotfix: TransitionRule.exactOptional(),
  }),
};

/** The organisation's floor: what no model's policy may loosen. */
export const PolicyFloor = z.strictObject(rules);
export type PolicyFloor = z.infer<typeof PolicyFloor>;

/** A compiled policy: the floor, tightened by the model. It is digested, activated as an audited act, and pinned by each promotion. */
export const Policy = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  ...rules,
  /** The model's own: no value of it is tighter than another, and no gate asks it. The evaluation report shows what deciding by it would have cost. */
  costs: Costs.exactOptional(),
});
export type Policy = z.infer<typeof Policy>;
