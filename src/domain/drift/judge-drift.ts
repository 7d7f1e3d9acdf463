import type { z } from 'zod';
import type { ComparisonMeasure } from '../comparison/measure.ts';
import { addDays } from '../data/partition.ts';
import type { ModelDefinition } from '../model/definition.ts';
import type { ComparisonRule, DriftRule } from '../policy/policy.ts';
import { type MeanLoss, meanLoss } from '../statistics/ratio.ts';
import { baseRateLoss } from '../statistics/paired-comparison.ts';
import type { DriftStatus, InputsStatus, ParityFound, StabilityMeasure } from './drift-work.ts';
import { percent } from '../text.ts';

/** Fewest days, or blocks of them, on which a live loss is compared with the one of the held-out days: each weekday once. */
const CONCEPT_DAYS = 7;

/** What is known of the release that is served, as of a day. */
export interface DriftEvidence {
  /** Null where nothing could be measured, and then `reason` says why. */
  readonly stability: { readonly measure: StabilityMeasure | null; readonly reason: string };
  readonly concept: {
    /** The measure that promoted the release: its loss on held-out days. Null for what came in without one, such as a baseline. */
    readonly promotion: ComparisonMeasure | null;
    /** Its published predictions against the labels of the days whose labels have all arrived. */
    readonly live: ComparisonMeasure | null;
    /** From when on there are labels enough; null where it was never promoted. */
    readonly judgeableFrom: string | null;
  };
  /** What the newest review of it kept: null where nobody watches it. */
  readonly disagreement: {
    readonly holdout: number | null;
    readonly days: readonly { readonly day: string; readonly mean: number }[];
  } | null;
  readonly parity: ParityFound;
  readonly asOf: string;
}

/** What one part of a check says, and the numbers that it rests on. */
interface Part<Status extends string> {
  readonly status: Status;
  readonly reason: string;
}

export interface InputsFound extends Part<z.infer<typeof InputsStatus>> {
  readonly worst: { readonly input: string; readonly index: number } | null;
  /** Every input that was measured, those of the policy first. */
  readonly measured: readonly { readonly input: string; readonly index: number; readonly isStable: boolean }[];
  readonly rows: { readonly reference: number; readonly current: number };
}

export interface ConceptFound extends Part<'stable' | 'drifted' | 'pending' | 'insufficient'> {
  readonly promotion: MeanLoss | null;
  readonly live: MeanLoss | null;
}

export interface DisagreementFound extends Part<'stable' | 'skewed' | 'none' | 'insufficient'> {
  readonly ratio: number | null;
  readonly day: string | null;
}

export type ParityJudged = Part<'same' | 'differs' | 'insufficient'>;

/** What a check found, and what it comes to. */
export interface DriftJudgement {
  readonly status: z.infer<typeof DriftStatus>;
  readonly inputs: InputsFound;
  readonly concept: ConceptFound;
  readonly disagreement: DisagreementFound;
  readonly parity: ParityJudged;
}

/**
 * Whether inputs and performance of the served release match those at its promotion. What has drifted or is skewed is said first; where
 * nothing has, each part that could have been known and is not makes the whole insufficient. Only a loss that cannot be known
 * yet, because labels have not had the time to arrive, and a disagreement that nobody watches for, count as nothing.
 */
export function judgeDrift(evidence: DriftEvidence, rule: DriftRule, comparison: ComparisonRule): DriftJudgement {
  const inputs = judgeInputs(evidence.stability, rule);
  const concept = judgeConcept(evidence, comparison);
  const disagreement = judgeDisagreement(evidence.disagreement, rule);
  const parity = judgeParity(evidence.parity);
  const said: readonly string[] = [inputs.status, concept.status, disagreement.status, parity.status];
  const status = said.includes('drifted')
    ? 'drifted'
    : said.includes('skewed') || said.includes('differs')
      ? 'skewed'
      : said.includes('insufficient')
        ? 'insufficient'
        : 'stable';
  return { status, inputs, concept, disagreement, parity };
}

function judgeInputs({ measure, reason }: DriftEvidence['stability'], rule: DriftRule): InputsFound {
  const rows = measure?.rows ?? { reference: 0, current: 0 };
  const measured = (measure?.inputs ?? [])
    .map(({ input, index }) => ({ input, index, isStable: rule.stable.includes(input) }))
    .toSorted((a, b) => Number(b.isStable) - Number(a.isStable));
  const stable = measured.filter(({ isStable }) => isStable);
  const worst = stable.reduce<(typeof stable)[number] | null>(
    (most, each) => (most === null || each.index > most.index ? each : most),
    null,
  );
  const found = { measured, rows, worst: worst === null ? null : { input: worst.input, index: worst.index } };
  const insufficient = (why: string): InputsFound => ({ status: 'insufficient', reason: why, ...found, worst: null });
  if (rule.stable.length === 0) return insufficient('the policy names no stable input: name some as drift.stable');
  if (measure === null) return insufficient(reason);
  const unmeasured = rule.stable.filter((input) => !stable.some((each) => each.input === input));
  const fewest = Math.min(rows.reference, rows.current);
  if (fewest < rule.minimumRows)
    return insufficient(
      `${rows.current} rows against ${rows.reference} that it was made from; needed: ${rule.minimumRows} of each`,
    );
  if (worst === null || unmeasured.length > 0 || stable.some(({ index }) => !Number.isFinite(index)))
    return insufficient(`no index of ${(unmeasured.length > 0 ? unmeasured : rule.stable).join(', ')}`);
  const told = stable.map(({ input, index }) => `${input} ${index.toFixed(3)}`).join(', ');
  const isDrifted = worst.index > rule.index;
  return {
    status: isDrifted ? 'drifted' : 'stable',
    reason: `${isDrifted ? 'drifted' : 'as they were'}: ${told}; allowed: ${rule.index}`,
    ...found,
  };
}

/**
 * Worse is a loss whose interval lies above the one that the release had when it was promoted. Losses are told per nat that a
 * constant would have lost that knows each day's base rate: the plain loss swings with that rate, and was above its interval
 * in 14 of 100 healthy weeks of flights; this one in less than one.
 */
function judgeConcept({ concept, asOf }: DriftEvidence, { confidence }: ComparisonRule): ConceptFound {
  const relative = (measure: ComparisonMeasure | null): MeanLoss | null => {
    const sums = (measure?.clusters ?? []).map(({ rows, positives, candidate }) => ({
      loss: candidate.logLoss,
      per: rows * baseRateLoss(positives, rows),
    }));
    return meanLoss(sums, confidence) ?? null;
  };
  const [promotion, live] = [relative(concept.promotion), relative(concept.live)];
  const found = { promotion, live };
  const insufficient = (reason: string): ConceptFound => ({ status: 'insufficient', reason, ...found });
  if (promotion === null || concept.judgeableFrom === null)
    return insufficient('no loss was measured when it was promoted');
  if (asOf < concept.judgeableFrom) {
    const reason = `there are labels enough from ${concept.judgeableFrom} on`;
    return { status: 'pending', reason, ...found };
  }
  if (live === null || live.clusters < CONCEPT_DAYS)
    return insufficient(
      `${live?.clusters ?? 0} ${unitOf(concept.live)} have all their labels; needed: ${CONCEPT_DAYS}`,
    );
  const isWorse = live.interval[0] > promotion.interval[1];
  const reason = `log loss ${shown(live)} of a constant's on ${live.clusters} ${unitOf(concept.live)}; when it was promoted ${shown(promotion)}`;
  return { status: isWorse ? 'drifted' : 'stable', reason, ...found };
}

/** The days on which a live loss is measured: more where days are compared in blocks, so that there are as many clusters. */
export function conceptDays({ horizonDays = 1 }: Pick<ModelDefinition['labels'], 'horizonDays'>): number {
  return CONCEPT_DAYS * horizonDays;
}

/** From when on a release that was promoted as of a day has labels enough: its days, and the time that the last one's take. */
export function judgeableFrom(
  letIn: string,
  labels: Pick<ModelDefinition['labels'], 'horizonDays' | 'matureAfterDays'>,
): string {
  return addDays(letIn, conceptDays(labels) + labels.matureAfterDays);
}

function unitOf(measure: ComparisonMeasure | null): string {
  return measure?.blockDays === undefined ? 'days' : `blocks of ${measure.blockDays} days`;
}

function shown({ mean, interval: [lower, upper] }: MeanLoss): string {
  return `${percent(mean, 1)} (${percent(lower, 1)} to ${percent(upper, 1)})`;
}

function judgeDisagreement(found: DriftEvidence['disagreement'], rule: DriftRule): DisagreementFound {
  const nothing = { ratio: null, day: null };
  if (found === null) return { status: 'none', reason: 'no release is being watched', ...nothing };
  const newest = found.days.at(-1);
  if (newest === undefined) return { status: 'none', reason: 'it has served no day yet', ...nothing };
  const ratio = newest.mean / (found.holdout ?? Number.NaN);
  if (!Number.isFinite(ratio))
    return { status: 'insufficient', reason: 'no disagreement was measured when it was promoted', ...nothing };
  const reason = `${ratio.toFixed(2)} times as far from its shadow on ${newest.day} as on the held-out days; allowed: ${rule.disagreement}`;
  return { status: ratio > rule.disagreement ? 'skewed' : 'stable', reason, ratio, day: newest.day };
}

function judgeParity({ days, differences, reasons }: ParityFound): ParityJudged {
  const told = differences.map(({ day, features, found }) => `features of ${day} (${features.slice(0, 19)}): ${found}`);
  if (told.length > 0) return { status: 'differs', reason: told.join('; ') };
  if (days.length === 0 || reasons.length > 0)
    return { status: 'insufficient', reason: reasons.join('; ') || 'there are no features to make anew' };
  return { status: 'same', reason: `features of ${days.join(', ')} were made anew and are the same bytes` };
}
