import type { MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { alarmEvent, lambdaActions } from '#local/cloudwatch/actions.ts';
import { evaluateAt, evaluationInterval, watched, type WatchedAlarm } from '#local/cloudwatch/alarm.ts';
import { sampleOf } from '#local/cloudwatch/statistics.ts';
import { MetricStore } from '#local/cloudwatch/store.ts';
import { TimeScale } from '#local/cloudwatch/time-scale.ts';

const NOW = Date.parse('2026-11-30T08:00:00Z');
const ACCOUNT = '111111111111';

const ALARM: MetricAlarm = {
  AlarmName: 'errors-of-a',
  AlarmArn: `arn:aws:cloudwatch:us-east-1:${ACCOUNT}:alarm:errors-of-a`,
  AlarmDescription: 'a fails',
  Namespace: 'AWS/Lambda',
  MetricName: 'Errors',
  Dimensions: [{ Name: 'FunctionName', Value: 'a' }],
  Statistic: 'Sum',
  Period: 60,
  EvaluationPeriods: 3,
  DatapointsToAlarm: 2,
  Threshold: 0,
  ComparisonOperator: 'GreaterThanThreshold',
  TreatMissingData: 'notBreaching',
  ActionsEnabled: true,
  AlarmActions: [`arn:aws:lambda:us-east-1:${ACCOUNT}:function:f:live`, `arn:aws:sns:us-east-1:${ACCOUNT}:alerts`],
  OKActions: [`arn:aws:lambda:us-east-1:${ACCOUNT}:function:g`],
  InsufficientDataActions: [],
  StateValue: 'OK',
  StateReason: 'before',
  StateUpdatedTimestamp: new Date(NOW - 60_000),
};

const known = (alarm: MetricAlarm): WatchedAlarm => {
  const found = watched(alarm);
  if (typeof found === 'string') throw new Error(found);
  return found;
};

describe('an alarm as it is deployed', () => {
  test('is evaluated by its metric and rule', () => {
    expect(known(ALARM)).toMatchObject({
      metric: { namespace: 'AWS/Lambda', name: 'Errors', dimensions: { FunctionName: 'a' } },
      rule: { statistic: 'Sum', period: 60, evaluationPeriods: 3, datapointsToAlarm: 2, missingData: 'notBreaching' },
      state: 'OK',
    });
    const { TreatMissingData: _, DatapointsToAlarm: __, ...defaults } = ALARM;
    expect(known(defaults).rule).toMatchObject({ datapointsToAlarm: 3, missingData: 'missing' });
  });

  it.each([
    [{ Metrics: [], MetricName: undefined }, 'MetricName: is missing: the alarm is on no single metric'],
    [{ ExtendedStatistic: 'p99', Statistic: undefined }, 'ExtendedStatistic: percentiles are not served'],
    [{ ComparisonOperator: 'LessThanLowerThreshold' }, 'ComparisonOperator'],
  ] as const)('of another kind says why it is not evaluated: %j', (own, message) => {
    expect(watched({ ...ALARM, ...own } as MetricAlarm)).toContain(message);
  });

  it.each([
    [10, 1, 10_000],
    [60, 1, 60_000],
    [86_400, 1, 60_000],
    [86_400, 2, 3_600_000],
  ])('of period %i, %i times, is evaluated each %i ms', (period, evaluationPeriods, interval) => {
    expect(evaluationInterval({ ...known(ALARM).rule, period, evaluationPeriods })).toBe(interval);
  });
});

describe('an evaluation', () => {
  const metric = known(ALARM).metric;
  const of = (seconds: readonly number[], end = NOW, scale = new TimeScale(1, NOW)): string => {
    const store = new MetricStore(1000 / scale.factor);
    for (const ago of seconds) store.add(ACCOUNT, metric, sampleOf(NOW - ago * 1000, 1, 'Count'));
    // An error of another function, and one of another account.
    store.add(ACCOUNT, { ...metric, dimensions: { FunctionName: 'b' } }, sampleOf(NOW - 1, 1, 'Count'));
    store.add('222222222222', metric, sampleOf(NOW - 1, 1, 'Count'));
    return evaluateAt(store, scale, ACCOUNT, known(ALARM), end, 'OK').state;
  };

  test('is of the exact dimensions, over the periods that end at its instant', () => {
    expect(of([])).toBe('OK');
    expect(of([30])).toBe('OK');
    expect(of([30, 90])).toBe('ALARM');
    // In one period; in two of three; in the evaluation range, which is wider.
    expect(of([30, 31, 32])).toBe('OK');
    expect(of([30, 150])).toBe('ALARM');
    expect(of([200, 290])).toBe('ALARM');
    expect(of([301, 361])).toBe('OK');
    // What comes after it does not count.
    expect(of([30, 90], NOW - 60_000)).toBe('OK');
  });

  test('is of scaled instants, and of periods as they are deployed', () => {
    const scale = new TimeScale(20, NOW - 60_000);
    const end = scale.scaled(NOW);
    expect(of([1.5, 4.5], end, scale)).toBe('ALARM');
    expect(of([1.5, 2], end, scale)).toBe('OK');
    expect(of([16, 20], end, scale)).toBe('OK');
  });
});

describe('actions', () => {
  const at = NOW;
  const transition = {
    account: ACCOUNT,
    region: 'us-east-1',
    alarm: ALARM,
    reason: 'why',
    reasonData: '{}',
    at,
  } as const;

  test('are the functions of the state that an alarm goes to, while its actions are enabled', () => {
    expect(lambdaActions({ alarm: ALARM, state: 'ALARM' })).toEqual(ALARM.AlarmActions?.slice(0, 1));
    expect(lambdaActions({ alarm: ALARM, state: 'OK' })).toEqual(ALARM.OKActions);
    expect(lambdaActions({ alarm: ALARM, state: 'INSUFFICIENT_DATA' })).toEqual([]);
    expect(lambdaActions({ alarm: { ...ALARM, ActionsEnabled: false }, state: 'ALARM' })).toEqual([]);
  });

  test('get the event that AWS sends', () => {
    expect(alarmEvent({ ...transition, state: 'ALARM' })).toEqual({
      source: 'aws.cloudwatch',
      alarmArn: ALARM.AlarmArn,
      accountId: ACCOUNT,
      time: '2026-11-30T08:00:00.000+0000',
      region: 'us-east-1',
      alarmData: {
        alarmName: 'errors-of-a',
        state: { value: 'ALARM', reason: 'why', reasonData: '{}', timestamp: '2026-11-30T08:00:00.000+0000' },
        previousState: { value: 'OK', reason: 'before', timestamp: '2026-11-30T07:59:00.000+0000' },
        configuration: {
          description: 'a fails',
          metrics: [
            {
              id: 'm1',
              metricStat: {
                metric: { namespace: 'AWS/Lambda', name: 'Errors', dimensions: { FunctionName: 'a' } },
                period: 60,
                stat: 'Sum',
              },
              returnData: true,
            },
          ],
        },
      },
    });
  });
});

test('metrics outlive a stop, for two weeks; a damaged file is a fault', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-metrics-'));
  try {
    const path = join(folder, 'cloudwatch', 'metrics.json');
    const { metric } = known(ALARM);
    const now = Date.now();
    const before = new MetricStore(1000);
    const samples = [sampleOf(now - 16 * 86_400_000, 1, 'Count'), sampleOf(now, 2, 'Count')];
    for (const sample of samples) before.add(ACCOUNT, metric, sample);
    before.save(path);
    const after = new MetricStore(1000);
    after.load(path);
    expect(after.samples(ACCOUNT, metric)).toEqual(samples.slice(1));
    await writeFile(path, '{"formatVersion":1,"series":[{"key":"x"}]}');
    expect(() => new MetricStore(1000).load(path)).toThrow('metrics.json is not what a stop saved');
    new MetricStore(1000).load(join(folder, 'none.json'));
  } finally {
    await rm(folder, { recursive: true });
  }
});
