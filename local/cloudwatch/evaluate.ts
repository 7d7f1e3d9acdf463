import type { Datapoint, Statistic } from './statistics.ts';

export const ALARM_STATES = ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const;
export type AlarmState = (typeof ALARM_STATES)[number];

/** How each operator compares a value with the threshold, and how AWS's reasons say it. */
export const COMPARISONS = {
  GreaterThanThreshold: { breaches: (value: number, threshold: number) => value > threshold, words: 'greater than' },
  GreaterThanOrEqualToThreshold: {
    breaches: (value: number, threshold: number) => value >= threshold,
    words: 'greater than or equal to',
  },
  LessThanThreshold: { breaches: (value: number, threshold: number) => value < threshold, words: 'less than' },
  LessThanOrEqualToThreshold: {
    breaches: (value: number, threshold: number) => value <= threshold,
    words: 'less than or equal to',
  },
} as const;
export type Comparison = keyof typeof COMPARISONS;

export const MISSING_DATA = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;
export type MissingData = (typeof MISSING_DATA)[number];

/** What an alarm on one metric is evaluated by. */
export interface AlarmRule {
  readonly statistic: Statistic;
  /** Seconds. */
  readonly period: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly comparison: Comparison;
  readonly threshold: number;
  readonly missingData: MissingData;
}

/** The state that an evaluation comes to, with the reason in AWS's words and the datapoints that it looked at. */
export interface Evaluation {
  readonly state: AlarmState;
  readonly reason: string;
  readonly evaluated: readonly Datapoint[];
}

/**
 * Datapoints that are looked at beyond the evaluation periods, in case that some are missing. AWS says only that the number
 * depends on the period; in its examples it is two.
 */
const BEYOND = 2;

/** How many datapoints an evaluation retrieves: the evaluation range. */
export const evaluationRange = (rule: Pick<AlarmRule, 'evaluationPeriods'>): number => rule.evaluationPeriods + BEYOND;

/**
 * Evaluates an alarm as CloudWatch does, on the datapoints of its evaluation range, oldest first, undefined where missing.
 *
 * Where the range has as many datapoints as evaluation periods, the newest of them decide and the treatment of missing data
 * does not matter. Otherwise all that exist are evaluated, and what lacks is filled in: as breaching or not, or, with
 * `missing` and `ignore`, not at all. Then a datapoint within the threshold is OK unless enough others breach; without one,
 * `ignore` retains the state, and `missing` goes to ALARM once the oldest breaching datapoint is as old as the datapoints to
 * alarm (before that the next one might be within the threshold: the state is retained), and to INSUFFICIENT_DATA when there is
 * no datapoint at all.
 *
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
export function evaluateAlarm(
  rule: AlarmRule,
  range: readonly (Datapoint | undefined)[],
  current: AlarmState,
): Evaluation {
  const existing = range.filter((datapoint) => datapoint !== undefined);
  const evaluated = existing.slice(-rule.evaluationPeriods);
  const lacking = rule.evaluationPeriods - evaluated.length;
  const isBreaching = ({ value }: Datapoint): boolean => COMPARISONS[rule.comparison].breaches(value, rule.threshold);
  const breaching = evaluated.filter(isBreaching).length;
  const state = ((): AlarmState => {
    const filled = lacking > 0 && rule.missingData === 'breaching' ? lacking : 0;
    if (breaching + filled >= rule.datapointsToAlarm) return 'ALARM';
    if (lacking === 0 || rule.missingData === 'breaching' || rule.missingData === 'notBreaching') return 'OK';
    if (breaching < evaluated.length) return 'OK';
    if (rule.missingData === 'ignore') return current;
    if (evaluated.length === 0) return 'INSUFFICIENT_DATA';
    const age = range.length - range.findIndex((datapoint) => datapoint !== undefined);
    return age >= rule.datapointsToAlarm ? 'ALARM' : current;
  })();
  return { state, reason: reasonOf(rule, evaluated, lacking, isBreaching, state, current), evaluated };
}

function reasonOf(
  rule: AlarmRule,
  evaluated: readonly Datapoint[],
  lacking: number,
  isBreaching: (datapoint: Datapoint) => boolean,
  state: AlarmState,
  current: AlarmState,
): string {
  if (state === 'INSUFFICIENT_DATA')
    return `Insufficient Data: ${count(lacking, 'datapoint')} ${lacking === 1 ? 'was' : 'were'} unknown.`;
  const missing = `${count(lacking, 'missing datapoint')} ${lacking === 1 ? 'was' : 'were'} treated as [${TREATED[rule.missingData]}]`;
  if (evaluated.length === 0)
    return `Threshold Crossed: no datapoints were received for ${count(lacking, 'period')} and ${missing}.`;
  const shown = evaluated.filter((datapoint) => isBreaching(datapoint) === (state === 'ALARM'));
  if (shown.length === 0) return `Threshold Crossed: ${missing}.`;
  const values = shown.map(({ at, value }) => `${decimal(value)} (${minuteOf(at)})`).join(', ');
  const verb = `${shown.length === 1 ? 'was' : 'were'} ${state === 'ALARM' ? '' : 'not '}`;
  const needed = state === 'ALARM' ? rule.datapointsToAlarm : rule.evaluationPeriods - rule.datapointsToAlarm + 1;
  return [
    `Threshold Crossed: ${shown.length} out of the last ${evaluated.length} datapoints [${values}] ${verb}`,
    `${COMPARISONS[rule.comparison].words} the threshold (${decimal(rule.threshold)})`,
    lacking === 0 ? '' : ` and ${missing}`,
    ` (minimum ${count(needed, 'datapoint')} for ${current} -> ${state} transition).`,
  ].join('');
}

const TREATED: Readonly<Record<MissingData, string>> = {
  missing: 'Missing',
  ignore: 'Ignored',
  breaching: 'Breaching',
  notBreaching: 'NonBreaching',
};

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** A number as AWS writes it: never without a decimal. */
const decimal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/** `30/11/26 07:48:00`, in UTC. */
function minuteOf(at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().split('T');
  const [year = '', month, day] = date.split('-');
  return `${day}/${month}/${year.slice(2)} ${time.slice(0, 8)}`;
}
