import { z } from 'zod';
import type { Digest } from '../canonical/digest.ts';
import { document } from '../canonical/document.ts';
import type { ComparisonMeasure } from '../comparison/measure.ts';
import type { LabelJoins } from '../data/label-joins.ts';
import type { InputStability } from '../drift/drift-work.ts';
import type { Verdict } from '../gates/gate.ts';
import type { ModelCard } from '../model/card.ts';
import type { ModelDefinition } from '../model/definition.ts';
import type { ComparisonRule, DriftRule } from '../policy/policy.ts';
import type { ReleaseManifest } from '../release/manifest.ts';
import { judgeComparison } from '../comparison/judge.ts';
import type { ComparisonJudgement } from '../comparison/judgement.ts';
import { sum } from '../statistics/paired-comparison.ts';
import { isConstant } from '../comparison/validity.ts';
import { type CostFigures, costOf } from './cost.ts';
import { type CurvePoint, precisionRecall, type ReliabilityGroup, reliability } from './curves.ts';
import type { Explanation } from './explanation.ts';
import type { ReportPlan } from './report-plan.ts';
import { type WeekFigures, weeksOf } from './weeks.ts';

/** What was measured on the selection days, or on the test days. */
export interface HoldoutFigures {
  /** The measure that all of it was computed from. */
  readonly measure: Digest;
  readonly first: string | null;
  readonly last: string | null;
  /** What rows were clustered by, in words. */
  readonly unit: string;
  readonly unlabelled: number;
  readonly baseRate: number | null;
  /** By the rule of the gate; on the selection days nobody asks for the verdict. */
  readonly judgement: ComparisonJudgement;
  /** Null where rows are not clustered by single days. */
  readonly weeks: readonly WeekFigures[] | null;
}

/** How one model's predictions are spread; null where the measure does not say. */
export interface ScoreFigures {
  readonly curve: readonly CurvePoint[];
  readonly reliability: readonly ReliabilityGroup[];
}

/** How far the inputs of the test days are from those of the last weeks that the candidate was trained on. */
export type InputDrift =
  | { readonly status: 'insufficient'; readonly reason: string }
  | {
      readonly status: 'measured';
      readonly measure: Digest;
      readonly rows: { readonly reference: number; readonly current: number };
      readonly inputs: readonly InputStability[];
    };

/** One of the candidates of the run. */
export interface CandidateFigures {
  readonly release: Digest;
  readonly version: string;
  readonly window: string;
  readonly isChosen: boolean;
  readonly selection: HoldoutFigures;
  readonly test: HoldoutFigures;
}

/** `report.json`: everything that is known of a candidate when it is judged, all of it from documents by digest. */
export interface EvaluationReport {
  readonly formatVersion: 1;
  readonly model: string;
  readonly release: Digest;
  readonly version: string;
  readonly run: string;
  readonly asOf: string;
  readonly champion: { readonly release: Digest; readonly version: string | null; readonly isConstant: boolean };
  readonly policy: Digest;
  readonly rule: ComparisonRule;
  /** What the gates said of the run: of this release, if it is the chosen one. */
  readonly conclusion: { readonly verdict: Verdict; readonly isChosen: boolean; readonly reasons: readonly string[] };
  readonly owner: string;
  readonly purpose: string;
  readonly card: ModelCard | null;
  readonly matureAfterDays: number;
  readonly features: readonly string[];
  readonly trained: Pick<ReleaseManifest, 'data' | 'training' | 'recipe' | 'code'> & {
    /** The evidence by which its data was accepted before it was trained, if there is any. */
    readonly dataCheck: Digest | null;
    /** What the join of events and labels lost of its rows. */
    readonly joins: LabelJoins | null;
  };
  readonly candidates: readonly CandidateFigures[];
  readonly scores: { readonly champion: ScoreFigures; readonly candidate: ScoreFigures } | null;
  readonly cost: CostFigures | null;
  readonly explanation: Explanation;
  readonly drift: InputDrift;
  /** The policy's rule for drift, where it has one. */
  readonly driftRule: Pick<DriftRule, 'stable' | 'index'> | null;
}

/** The report as a store keeps it: its parts are those of the documents that it is made from, and are checked there. */
export const EvaluationReport = document(
  'evaluation report',
  z.custom<EvaluationReport>((value) => z.looseObject({ formatVersion: z.literal(1) }).safeParse(value).success),
);

/** The candidate that a report is about, among all of its run. */
export function subjectOf({ candidates, release }: Pick<EvaluationReport, 'candidates' | 'release'>): CandidateFigures {
  const subject = candidates.find((candidate) => candidate.release === release);
  if (subject === undefined) throw new Error(`${release} is no candidate of its report`);
  return subject;
}

/** A candidate of the run as its documents say it. */
export interface Evaluated {
  readonly manifest: ReleaseManifest;
  readonly selection: ComparisonMeasure;
  readonly test: ComparisonMeasure;
}

/** What is reported of one candidate, beside the others of its run. */
export function evaluationReport(input: {
  readonly plan: ReportPlan;
  readonly release: Digest;
  readonly definition: ModelDefinition;
  /** Each candidate of the plan, in its order. */
  readonly evaluated: readonly Evaluated[];
  readonly explanation: Explanation;
  readonly drift: InputDrift;
}): EvaluationReport {
  const { plan, release, definition, evaluated, explanation, drift } = input;
  const index = plan.candidates.findIndex((candidate) => candidate.release === release);
  const [subject, own] = [plan.candidates[index], evaluated[index]];
  if (subject === undefined || own === undefined) throw new Error(`${release} is no candidate of run ${plan.run}`);
  const { data, training, recipe, code } = own.manifest;
  const { scores, champion } = own.test;
  return {
    formatVersion: 1,
    model: plan.model,
    release,
    version: subject.version,
    run: plan.run,
    asOf: plan.asOf,
    champion: { ...plan.champion, isConstant: isConstant(champion) },
    policy: plan.policy,
    rule: plan.rule,
    conclusion: {
      verdict: plan.conclusion.verdict,
      isChosen: plan.conclusion.chosen === release,
      reasons: plan.conclusion.reasons,
    },
    owner: definition.owner,
    purpose: definition.purpose,
    card: plan.card ?? null,
    matureAfterDays: definition.labels.matureAfterDays,
    features: definition.features.columns,
    trained: { data, training, recipe, code, dataCheck: subject.dataCheck, joins: subject.joins ?? null },
    candidates: plan.candidates.flatMap((candidate, place) => {
      const found = evaluated[place];
      return found === undefined ? [] : [candidateFigures(plan, candidate, found)];
    }),
    scores:
      scores === undefined
        ? null
        : {
            champion: {
              curve: precisionRecall(scores.champion, scores.width),
              reliability: reliability(scores.champion),
            },
            candidate: {
              curve: precisionRecall(scores.candidate, scores.width),
              reliability: reliability(scores.candidate),
            },
          },
    cost: plan.costs === undefined ? null : (costOf(own.test, plan.costs, plan.rule.confidence) ?? null),
    explanation,
    drift,
    driftRule: plan.drift === undefined ? null : { stable: plan.drift.stable, index: plan.drift.index },
  };
}

function candidateFigures(
  { rule, conclusion }: ReportPlan,
  { release, version, selection, test }: ReportPlan['candidates'][number],
  found: Evaluated,
): CandidateFigures {
  return {
    release,
    version,
    window: found.manifest.data.window.name,
    isChosen: conclusion.chosen === release,
    selection: holdoutFigures(found.selection, selection.measure, rule),
    test: holdoutFigures(found.test, test.measure, rule),
  };
}

function holdoutFigures(found: ComparisonMeasure, measure: Digest, rule: ComparisonRule): HoldoutFigures {
  const { clusterColumn, blockDays, clusters, comparedRows, unlabelled } = found;
  const names = clusters.map(({ cluster }) => cluster).toSorted();
  return {
    measure,
    first: names[0] ?? null,
    last: names.at(-1) ?? null,
    unit: blockDays === undefined ? clusterColumn : `${clusterColumn}, in blocks of ${String(blockDays)} days`,
    unlabelled,
    baseRate: comparedRows === 0 ? null : sum(clusters, ({ positives }) => positives) / comparedRows,
    judgement: judgeComparison(found, rule),
    weeks: weeksOf(found, rule.confidence) ?? null,
  };
}
