import { describe, expect, it, test } from 'vitest';
import {
  type AlarmRule,
  type AlarmState,
  type Evaluation,
  evaluateAlarm,
  evaluationRange,
  MISSING_DATA,
  type MissingData,
} from '#local/cloudwatch/evaluate.ts';
import type { Datapoint } from '#local/cloudwatch/statistics.ts';

const AT = Date.parse('2026-11-30T07:00:00Z');

/** `0 - X`, oldest first: within the threshold, missing, breaching. */
const range = (drawn: string): readonly (Datapoint | undefined)[] =>
  drawn
    .split(' ')
    .map((sign, index) =>
      sign === '-' ? undefined : { at: AT + index * 300_000, sampleCount: 1, value: sign === 'X' ? 9 : 1 },
    );

const rule = (m: number, n: number, missingData: MissingData): AlarmRule => ({
  statistic: 'Sum',
  period: 300,
  evaluationPeriods: n,
  datapointsToAlarm: m,
  comparison: 'GreaterThanThreshold',
  threshold: 5,
  missingData,
});

const evaluate = (drawn: string, m: number, n: number, treated: MissingData, current: AlarmState): Evaluation =>
  evaluateAlarm(rule(m, n, treated), range(drawn), current);

const RETAINED = 'retained';
type Expected = AlarmState | typeof RETAINED;

/** Each row in each of the three states, which matters only where the state is retained. */
function holds(m: number, n: number, rows: readonly (readonly [string, ...Expected[]])[]): void {
  it.each(rows)('%s', (drawn, ...expected) => {
    expect(range(drawn)).toHaveLength(evaluationRange({ evaluationPeriods: n }));
    for (const [index, treated] of MISSING_DATA.entries())
      for (const current of ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const) {
        const state = expected[index] === RETAINED ? current : expected[index];
        expect([treated, current, evaluate(drawn, m, n, treated, current).state]).toEqual([treated, current, state]);
      }
  });
}

const NO_DATA = 'INSUFFICIENT_DATA';

// The tables of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html; columns:
// missing, ignore, breaching, not breaching.
describe('AWS’s table of an alarm of 3 out of 3 datapoints', () => {
  holds(3, 3, [
    ['0 - X - X', 'OK', 'OK', 'OK', 'OK'],
    ['0 - - - -', 'OK', 'OK', 'OK', 'OK'],
    ['- - - - -', NO_DATA, RETAINED, 'ALARM', 'OK'],
    ['0 X X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    ['- - X - -', 'ALARM', RETAINED, 'ALARM', 'OK'],
    // A row of earlier editions: "the oldest evaluated data point is breaching and there aren't any non-breaching ones".
    ['X - - - -', 'ALARM', RETAINED, 'ALARM', 'OK'],
  ]);
});

describe('AWS’s table of an alarm of 2 out of 3 datapoints', () => {
  holds(2, 3, [
    ['0 - X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    ['0 0 X 0 X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    ['0 - X - -', 'OK', 'OK', 'ALARM', 'OK'],
    ['- - - - 0', 'OK', 'OK', 'ALARM', 'OK'],
    ['- - - X -', 'ALARM', RETAINED, 'ALARM', 'OK'],
  ]);
});

describe('AWS’s examples of premature transitions', () => {
  holds(3, 3, [
    ['- - - - X', RETAINED, RETAINED, 'ALARM', 'OK'],
    ['- - - X -', RETAINED, RETAINED, 'ALARM', 'OK'],
    ['- - - X 0', 'OK', 'OK', 'OK', 'OK'],
    ['- - X - 0', 'OK', 'OK', 'OK', 'OK'],
  ]);
  test('a first breaching datapoint after none leaves the alarm without data', () => {
    const before = evaluate('- - - - -', 3, 3, 'missing', 'OK').state;
    expect(evaluate('- - - - X', 3, 3, 'missing', before).state).toBe(NO_DATA);
  });
});

describe('an alarm of 1 out of 1 datapoint', () => {
  holds(1, 1, [
    ['- - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    ['X - 0', 'OK', 'OK', 'OK', 'OK'],
    // The last datapoint counts until it leaves the range, whatever missing data is treated as.
    ['X - -', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    ['- - -', NO_DATA, RETAINED, 'ALARM', 'OK'],
  ]);
});

describe('the newest datapoints decide where the range has enough', () => {
  holds(3, 5, [
    ['X X 0 0 0 X X', 'OK', 'OK', 'OK', 'OK'],
    ['0 0 X 0 X 0 X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    ['X - X - - - 0', 'OK', 'OK', 'ALARM', 'OK'],
  ]);
});

describe('a threshold', () => {
  it.each([
    ['GreaterThanThreshold', [false, false, true]],
    ['GreaterThanOrEqualToThreshold', [false, true, true]],
    ['LessThanThreshold', [true, false, false]],
    ['LessThanOrEqualToThreshold', [true, true, false]],
  ] as const)('%s', (comparison, expected) => {
    const states = [4, 5, 6].map(
      (value) =>
        evaluateAlarm({ ...rule(1, 1, 'missing'), comparison }, [{ at: AT, sampleCount: 1, value }], 'OK').state,
    );
    expect(states.map((state) => state === 'ALARM')).toEqual(expected);
  });
});

describe('the reason is AWS’s', () => {
  it.each([
    [
      '- - X',
      'missing',
      1,
      1,
      'Threshold Crossed: 1 out of the last 1 datapoints [9.0 (30/11/26 07:10:00)] was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).',
    ],
    ['- - -', 'missing', 1, 1, 'Insufficient Data: 1 datapoint was unknown.'],
    [
      '- - - -',
      'breaching',
      2,
      2,
      'Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].',
    ],
    [
      '- - - X',
      'breaching',
      2,
      2,
      'Threshold Crossed: 1 out of the last 1 datapoints [9.0 (30/11/26 07:15:00)] was greater than the threshold (5.0) and 1 missing datapoint was treated as [Breaching] (minimum 2 datapoints for OK -> ALARM transition).',
    ],
    ['- - - 0', 'breaching', 1, 2, 'Threshold Crossed: 1 missing datapoint was treated as [Breaching].'],
  ] as const)('of %s, missing data treated as %s', (drawn, treated, m, n, reason) => {
    expect(evaluate(drawn, m, n, treated, 'OK').reason).toBe(reason);
  });
});
