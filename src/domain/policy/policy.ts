import { z } from 'zod';
import { GateId } from '../gates/gate.ts';
import { CanaryRule } from './canary.ts';
import { ColumnName, ModelName } from '../model/definition.ts';
import { SeenText } from '../text.ts';
import { ApprovalRule } from './approval-rule.ts';
import { AttestationRule } from './attestations.ts';
import { OperationsRule } from './operations.ts';
import { ServingRule } from './serving.ts';

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

/**
 * How two models are compared, and what is asked of the newer one. Gains are relative to the champion's log loss. Which way
 * is tighter stands in `tighten.ts`.
 */
export const ComparisonRule = z
  .strictObject({
    /** The unit of the paired test: `day`, or a column whose equal values make rows depend on each other. E.g. `'day'`. A model may not change it; default: the floor’s. */
    cluster: ColumnName,
    /** Smallest gain that counts as an improvement, as a share of the champion's log loss, e.g. 0.005. A model may only raise it; default: the floor’s. */
    minimumImprovement: z.number().min(0).max(0.5),
    /** The same where `seeded` is true, because two seeds of one recipe differ by up to 0.85 %; e.g. 0.01. A model may only raise it; default: the floor’s. */
    minimumImprovementSeeded: z.number().min(0).max(0.5),
    /** Whether the trained model depends on a random seed, e.g. true. A model may only change false to true; default: the floor’s. */
    seeded: z.boolean(),
    /** One-sided confidence of each bound, as a probability, e.g. 0.95. A model may only raise it; default: the floor’s. */
    confidence: z.number().min(0.5).max(0.999),
    /** Fewest clusters (days, as a rule) on which anything is decided, e.g. 7. A model may only raise it; default: the floor’s. */
    minimumDays: z.int().min(2).max(365),
    /** Fewest rows on which anything is decided, e.g. 2000. A model may only raise it; default: the floor’s. */
    minimumRows: z.int().min(1),
    /** Smallest gain over a constant that predicts the base rate, as a share of its log loss, e.g. 0.005. A model may only raise it; default: the floor’s. */
    minimumSkill: z.number().min(0).max(1),
    /**
     * What passes provisionally, where the transition has a probation: a likely gain, whose lower bound is above minus the
     * tolerance. Without it nothing passes provisionally; default of a model: the floor's, and null gives it up.
     */
    provisional: z
      .strictObject({
        /** Smallest gain, as a share of the champion's log loss, e.g. 0.0025. A model may only raise it; default: the floor’s. */
        minimumImprovement: z.number().min(0).max(0.5),
        /** Largest loss that the lower bound may leave possible, as a share of the log loss, e.g. 0.01. A model may only lower it; default: the floor’s. */
        tolerance: z.number().min(0).max(0.5),
      })
      .exactOptional(),
    /** A larger gain over a trained champion is held as suspected label leakage; a share of its log loss, e.g. 0.08. A model may only lower it; default: the floor’s. */
    tooGood: z.number().gt(0).max(1),
    /** Factor of observed / predicted, up or down, beyond which for both models alike the labels are suspect, e.g. 2. A model may only lower it; default: the floor’s. */
    baseRateFactor: z.number().gt(1).max(100),
    /** Slices of rows that are compared separately: one that is significantly worse, by more than the tolerance, fails the gate. Default: the floor’s. */
    slices: z.strictObject({
      /** Inputs, or the entity, whose values make the slices, e.g. `['origin']`. A model may only add columns; default: the floor’s. */
      columns: z.array(ColumnName),
      /** How many of each column's most frequent values are slices, e.g. 12. A model may only raise it; default: the floor’s. */
      largest: z.int().min(1).max(50),
      /** Level of the Holm test over all slices, as a probability, e.g. 0.05. A model may only raise it; default: the floor’s. */
      level: z.number().gt(0).max(0.5),
      /** Largest loss of a slice that is tolerated, as a share of the champion's log loss there, e.g. 0.05. A model may only lower it; default: the floor’s. */
      tolerance: z.number().min(0).max(1),
    }),
    /** Other measures that a gain in log loss must not worsen. Default: the floor’s. */
    guards: z.strictObject({
      /** Proven loss in Brier score that fails the gate, as a share of the champion's, e.g. 0.02. A model may only lower it; default: the floor’s. */
      brier: z.number().min(0).max(1),
      /** Loss in average precision (area under the precision-recall curve) that fails the gate, as a share of the champion's, e.g. 0.1. A model may only lower it; default: the floor’s. */
      averagePrecision: z.number().min(0).max(1),
      /** Factor of observed / predicted, up or down, beyond which a candidate that is worse calibrated than the champion fails, e.g. 2. A model may only lower it; default: the floor’s. */
      calibration: z.number().gt(1).max(100),
    }),
  })
  .superRefine((rule, context) => {
    for (const [path, message] of contradictions(rule)) context.addIssue({ code: 'custom', path: [...path], message });
  });
export type ComparisonRule = z.infer<typeof ComparisonRule>;

/** The required gain: more where training is seeded. */
export function neededImprovement(
  rule: Pick<ComparisonRule, 'minimumImprovement' | 'minimumImprovementSeeded' | 'seeded'>,
): number {
  return rule.seeded ? rule.minimumImprovementSeeded : rule.minimumImprovement;
}

/** Where a rule contradicts itself: each value in order by itself, and together the values contradict each other. */
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
      ? [[['tooGood'], `more than the required gain, ${needed}: else nothing could ever pass`] as const]
      : []),
    ...(provisional !== undefined && provisional.minimumImprovement > needed
      ? [[['provisional', 'minimumImprovement'], `at most the required gain, ${needed}`] as const]
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
export const Costs = z.strictObject({
  /** Cost of acting where it was not needed, in any unit that both costs share, e.g. 5. */
  falsePositive: z.number().positive(),
  /** Cost of not acting where it was needed, in the same unit, e.g. 20. */
  falseNegative: z.number().positive(),
});
export type Costs = z.infer<typeof Costs>;

/** The probability from which on acting costs less than not acting, if probabilities are what they say (Elkan 2001, The foundations of cost-sensitive learning). */
export function costThreshold({ falsePositive, falseNegative }: Costs): number {
  return falsePositive / (falsePositive + falseNegative);
}

/** How many rows a day may have: within a tolerance of the median of the same weekday in the weeks before. */
export const RowCountRule = z
  .strictObject({
    /** How far a day's rows may be from the median, up or down, as a share of it, e.g. 0.3. A model may only lower it; default: the floor’s. */
    tolerance: z.number().gt(0).max(1),
    /** Weeks of which the same weekdays give the median, e.g. 8. The floor alone says so. */
    weeks: z.int().min(1).max(52),
    /** Fewest of those weeks on which a day is judged, e.g. 3. A model may only lower it; default: the floor’s. */
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

/** What data must fulfil before training, and each day when it arrives. */
export const DataRule = z.strictObject({
  /** How many rows a day of events may have, compared with the same weekday in the weeks before. Default: the floor’s. */
  rowCounts: RowCountRule,
  /** Kinds of data for which a model must have an expectation suite (`expectations/<kind>.json`), e.g. `['events', 'labels']`. A model may only add kinds; default: the floor’s, and without it none. */
  expectations: z.array(DataKind).exactOptional(),
  /** Largest share of a run's days that may have been withdrawn at their source, e.g. 0.1. A model may only lower it; default: the floor’s. Without it anywhere, not checked. */
  withdrawn: z.number().min(0).max(1).exactOptional(),
  /** Smallest share of the training events whose label had arrived, e.g. 0.95. A model may only raise it; default: the floor’s. Without it anywhere, not checked. */
  labelCoverage: z.number().min(0).max(1).exactOptional(),
  /** Largest share of the labels of the window's days that match no event, e.g. 0.05. A model may only lower it; default: the floor’s. Without it anywhere, not checked. */
  unmatchedLabels: z.number().min(0).max(1).exactOptional(),
  /** Largest share of the labelled training events whose label arrived before the event, e.g. 0.01. A model may only lower it; default: the floor’s. Without it anywhere, not checked. */
  earlyLabels: z.number().min(0).max(1).exactOptional(),
  /** Largest share of the arrived labels that a later label of the same event replaces, e.g. 0.1. A model may only lower it; default: the floor’s. Without it anywhere, not checked. */
  replacedLabels: z.number().min(0).max(1).exactOptional(),
  /** Largest area under the ROC curve that one input may have alone (chance has 0.5); above it, suspected label leakage; e.g. 0.9. A model may only lower it; default: the floor’s. Without it anywhere, not checked. */
  leakageAuc: z.number().gt(0.5).max(1).exactOptional(),
});
export type DataRule = z.infer<typeof DataRule>;

/**
 * How a release that a gate passed provisionally is judged while it is served, against the one that it replaced: thrown out
 * by the fast rule as soon as it is clearly worse, confirmed or rolled back by the slow one when its days are over.
 */
export const ProbationRule = z
  .strictObject({
    /** Days of serving after which the slow rule decides, by the comparison's own rule, e.g. 7. A model may only lower it; default: the floor’s. */
    days: z.int().min(1).max(365),
    /** Fewest clusters (days, as a rule) on which the slow rule confirms; fewer than `days`, because the newest days have no labels yet; e.g. 5. A model may only raise it; default: the floor’s. */
    minimumDays: z.int().min(2).max(365),
    /** The fast rule: rolls back a release that is clearly worse, before its days are over. Default: the floor’s. */
    fast: z.strictObject({
      /** Fewest labels on which the fast rule decides, e.g. 5000. A model may only lower it; default: the floor’s. */
      minimumLabels: z.int().min(1),
      /** Hours since its arrival after which a label counts for the fast rule, e.g. 24. A model may only lower it; default: the floor’s. */
      hours: z.number().min(0).max(720),
      /** Loss beyond which the release is rolled back, as a share of the log loss of the release that it replaced, e.g. 0.02. A model may only lower it; default: the floor’s. */
      loss: z.number().min(0).max(1),
      /** Loss that must be proven besides, as a share of the same log loss, e.g. 0.01; at most `loss`. A model may only lower it; default: the floor’s. */
      provenLoss: z.number().min(0).max(1),
    }),
  })
  .superRefine(({ days, minimumDays, fast }, context) => {
    const wrong = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (minimumDays > days) wrong(['minimumDays'], `at most days, ${days}: else nothing could ever be confirmed`);
    if (fast.provenLoss > fast.loss) wrong(['fast', 'provenLoss'], `at most fast.loss, ${fast.loss}`);
  });
export type ProbationRule = z.infer<typeof ProbationRule>;

/** What is watched of the release that is served, and what follows. It alarms and retrains; it promotes nothing and rolls nothing back. */
export const DriftRule = z.strictObject({
  /** Inputs whose distribution is stable on healthy days, e.g. `['distance']`: drift in one of them alerts, and dev retrains; others are only shown. A model may only add inputs; default: the floor’s. */
  stable: z.array(ColumnName).refine((columns) => new Set(columns).size === columns.length, 'each column once'),
  /** Population stability index above which a stable input has drifted, e.g. 0.1. A model may only lower it; default: the floor’s. */
  index: z.number().gt(0).max(1),
  /** Fewest rows on either side for a verdict, e.g. 400. The floor alone says so. */
  minimumRows: z.int().min(1),
  /** Factor by which a day's disagreement with the shadow may exceed that of the test days, e.g. 1.3. A model may only lower it; default: the floor’s. */
  disagreement: z.number().gt(1).max(100),
  /** Fewest days of data between two retrainings that drift starts, e.g. 7. A model may only raise it; default: the floor’s. */
  retrainAtMostEveryDays: z.int().min(1).max(365),
});
export type DriftRule = z.infer<typeof DriftRule>;

/** What a transition needs. */
export const TransitionRule = z.strictObject({
  /** Gates that must pass, e.g. `['released-upstream', 'better-than-champion']`. A model may only add gates; default: the floor’s. */
  gates: z.array(GateId).min(1),
  /** Roles and numbers of people that must approve, e.g. `[{ role: 'ml-lead', count: 1 }]`; empty: nobody. A model may only add; default: the floor’s. */
  approvals: z.array(ApprovalRule),
  /** Whose approval besides, by the level at which the version differs from the served one; e.g. `{ major: [{ role: 'risk', count: 1 }] }`. A model may only add; default: the floor’s, and without it nobody’s. */
  approvalsByLevel: z
    .strictObject({
      /** Where the schema of inputs or outputs changes, and for the first trained release, e.g. `[{ role: 'risk', count: 1 }]`. A model may only add; default: the floor’s, else nobody’s. */
      major: z.array(ApprovalRule).exactOptional(),
      /** Where features, algorithm, windows or code change, e.g. `[]`. A model may only add; default: the floor’s, else nobody’s. */
      minor: z.array(ApprovalRule).exactOptional(),
      /** Where the same recipe is trained on other data, e.g. `[]`. A model may only add; default: the floor’s, else nobody’s. */
      patch: z.array(ApprovalRule).exactOptional(),
    })
    .exactOptional(),
  /** Whether an offer opens the promotion without a request of a person, e.g. false. A model may only change true to false; default: the floor’s. */
  opensOnOffer: z.boolean(),
  /** Hours after which evidence expires, e.g. 72. A model may only lower it; default: the floor’s. */
  evidenceValidHours: z.number().positive(),
  /** Hours within which people have to decide, e.g. 48. A model may only lower it; default: the floor’s. */
  approvalHours: z.number().positive(),
  /** How a provisionally passed release is judged while it is served. Without it none is promoted; default of a model: the floor’s, and null gives it up. */
  probation: ProbationRule.exactOptional(),
  /** How a release is watched while it takes a part of the requests, before it becomes the champion. Without it none is; default of a model: the floor’s. */
  canary: CanaryRule.exactOptional(),
});
export type TransitionRule = z.infer<typeof TransitionRule>;

const rules = {
  /** Whose votes activate another policy: at least two people, by the policy in force, e.g. `[{ role: 'platform', count: 1 }, { role: 'risk', count: 1 }]`. */
  activation: z
    .array(ApprovalRule)
    .min(1)
    .refine((asked) => asked.reduce((people, { count }) => people + count, 0) >= 2, 'at least two people'),
  /** How a candidate is compared with the champion, and what it must achieve. */
  comparison: ComparisonRule,
  /** What data must fulfil before training and on arrival. Without it no data is checked. */
  data: DataRule.exactOptional(),
  /** How drift of the served release is detected. Without it drift is not checked, and the alarm for missing checks fires. */
  drift: DriftRule.exactOptional(),
  /** When an endpoint's release is rolled back by itself. Without it no alarm watches an endpoint. */
  serving: ServingRule.exactOptional(),
  /** What people are told, and when, of what is wrong. Without it the numbers are those of `OPERATIONS_DEFAULT`. */
  operations: OperationsRule.exactOptional(),
  /** Whose attestations count, and what they have to say. Without it the gates that judge them do not pass. */
  attestations: AttestationRule.exactOptional(),
  /** What each kind of promotion needs. */
  transitions: z.strictObject({
    /** A model's baseline into an environment that has no champion yet. */
    initial: TransitionRule,
    /** From dev to staging. */
    staging: TransitionRule,
    /** From staging to prod. */
    prod: TransitionRule,
    /** From dev to prod, without staging. Without it there are no hotfixes. */
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
  /** Costs of wrong decisions, for the evaluation report only; no gate uses them. Without it the report shows no costs. */
  costs: Costs.exactOptional(),
});
export type Policy = z.infer<typeof Policy>;
