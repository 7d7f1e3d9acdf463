import { describe, expect, it, test } from 'vitest';
import { metricData } from '#local/cloudwatch/metric-data.ts';
import { GetMetricData, measuredBy, parseRequest, PutMetricData } from '#local/cloudwatch/requests.ts';
import { MetricStore } from '#local/cloudwatch/store.ts';
import { TimeScale } from '#local/cloudwatch/time-scale.ts';

const NOW = Date.parse('2026-11-30T08:00:00Z');
const ACCOUNT = '111111111111';
const MINUTE = 60;
const UNSCALED = new TimeScale(1, NOW);
/** Seconds of the epoch, some minutes before now. */
const ago = (minutes: number): number => NOW / 1000 - minutes * MINUTE;
const clock = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(11, 19);

const A = [{ Name: 'function', Value: 'a' }];

type Datum = Readonly<Record<string, unknown>>;

function put(store: MetricStore, data: readonly Datum[], account = ACCOUNT): void {
  const MetricData = data.map((datum) => ({ MetricName: 'Errors', Dimensions: A, ...datum }));
  for (const { metric, sample } of measuredBy(parseRequest(PutMetricData, { Namespace: 'N', MetricData }), NOW))
    store.add(account, metric, sample);
}

const query = (stat: Datum = {}, own: Datum = {}): Datum => ({
  Id: 'x',
  MetricStat: { Metric: { Namespace: 'N', MetricName: 'Errors', Dimensions: A }, Period: 60, Stat: 'Sum', ...stat },
  ...own,
});

interface Page {
  readonly MetricDataResults: readonly {
    readonly Id: string;
    readonly Label: string;
    readonly Timestamps: readonly number[];
    readonly Values: readonly number[];
    readonly StatusCode: string;
  }[];
  readonly NextToken?: string;
}

const get = (store: MetricStore, request: Datum, scale = UNSCALED, account = ACCOUNT): Page =>
  metricData(
    store,
    scale,
    account,
    parseRequest(GetMetricData, {
      MetricDataQueries: [query()],
      StartTime: ago(10),
      EndTime: ago(0),
      ScanBy: 'TimestampAscending',
      ...request,
    }),
  ) as Page;

const filled = (): MetricStore => {
  const store = new MetricStore(1000);
  put(store, [
    { Timestamp: ago(9), Value: 2 },
    { Timestamp: ago(9) + 30, StatisticValues: { SampleCount: 3, Sum: 12, Minimum: 1, Maximum: 8 } },
    { Timestamp: ago(7), Values: [5, 7], Counts: [2, 1] },
    { Timestamp: ago(3), Value: 0, Unit: 'Count' },
    // Elsewhere: another dimension, one more of them, none, another account.
    { Timestamp: ago(9), Value: 100, Dimensions: [{ Name: 'function', Value: 'b' }] },
    { Timestamp: ago(9), Value: 100, Dimensions: [...A, { Name: 'alias', Value: 'live' }] },
    { Timestamp: ago(9), Value: 100, Dimensions: [] },
  ]);
  put(store, [{ Timestamp: ago(9), Value: 100 }], '222222222222');
  return store;
};

describe('GetMetricData', () => {
  it.each([
    ['Sum', [14, 17, 0]],
    ['SampleCount', [4, 3, 1]],
    ['Average', [3.5, 17 / 3, 0]],
    ['Minimum', [1, 5, 0]],
    ['Maximum', [8, 7, 0]],
  ])('gives %s of exactly the dimensions, and no period without data', (Stat, values) => {
    const [result] = get(filled(), { MetricDataQueries: [query({ Stat })] }).MetricDataResults;
    expect(result).toMatchObject({ Id: 'x', Label: 'Errors', Values: values, StatusCode: 'Complete' });
    expect(result?.Timestamps.map(clock)).toEqual(['07:51:00', '07:53:00', '07:57:00']);
  });

  test('the newest comes first unless the caller says otherwise', () => {
    const [result] = get(filled(), { ScanBy: undefined }).MetricDataResults;
    expect(result?.Values).toEqual([0, 17, 14]);
  });

  test('periods begin at StartTime, rounded down to the minute; EndTime is not contained', () => {
    const request = { MetricDataQueries: [query({ Period: 300 })], StartTime: ago(9) + 20, EndTime: ago(3) };
    const [result] = get(filled(), request).MetricDataResults;
    expect(result?.Timestamps.map(clock)).toEqual(['07:51:00']);
    expect(result?.Values).toEqual([31]);
  });

  test('a unit is asked for exactly', () => {
    const [result] = get(filled(), { MetricDataQueries: [query({ Unit: 'Count' })] }).MetricDataResults;
    expect(result?.Values).toEqual([0]);
  });

  test('pages go on where the one before ended, over the queries', () => {
    const store = filled();
    const b = { Namespace: 'N', MetricName: 'Errors', Dimensions: [{ Name: 'function', Value: 'b' }] };
    const MetricDataQueries = [query(), query({ Metric: { ...b, MetricName: 'None' } }, { Id: 'none' })];
    MetricDataQueries.push(query({ Metric: b }, { Id: 'b', Label: 'of b' }), query({}, { Id: 'h', ReturnData: false }));
    const pages: Page[] = [];
    let NextToken: string | undefined;
    do {
      const page = get(store, { MetricDataQueries, MaxDatapoints: 2, ...(NextToken !== undefined && { NextToken }) });
      pages.push(page);
      ({ NextToken } = page);
    } while (NextToken !== undefined);
    const shown = pages.map(({ MetricDataResults }) =>
      MetricDataResults.map(({ Id, Values, StatusCode }) => [Id, Values, StatusCode]),
    );
    expect(shown).toEqual([
      [
        ['x', [14, 17], 'PartialData'],
        ['none', [], 'Complete'],
      ],
      [
        ['x', [0], 'Complete'],
        ['b', [100], 'Complete'],
      ],
    ]);
    expect(() => get(store, { NextToken: 'other' })).toThrow('NextToken');
  });

  it.each([
    [{ StartTime: ago(0), EndTime: ago(0) }, 'StartTime must be less than EndTime'],
    [{ MetricDataQueries: [query({ Stat: 'p99' })] }, 'Stat: the local CloudWatch serves Sum, Average'],
    [{ MetricDataQueries: [query({ Period: 90 })] }, 'Period: must be'],
    [{ MetricDataQueries: [query(), query()] }, 'MetricDataQueries: must have different values of Id'],
    [{ MetricDataQueries: [{ Id: 'e', Expression: 'SUM(METRICS())' }] }, 'Expression: the local CloudWatch serves no'],
    [{ MetricDataQueries: [{ Id: 'e' }] }, 'e has no MetricStat'],
  ])('refuses %j', (request, message) => {
    expect(() => get(filled(), request)).toThrow(message);
  });
});

describe('PutMetricData', () => {
  it.each([
    [{ Value: 1, Values: [1] }, 'exactly one of'],
    [{}, 'exactly one of'],
    [{ Values: [1, 2], Counts: [1] }, 'Counts: must be as many'],
    [{ Value: Number.NaN }, 'Value: '],
    [{ Value: 1, Timestamp: ago(15 * 24 * 60) }, 'two weeks ago'],
    [{ Value: 1, Timestamp: ago(-121) }, 'two hours ahead'],
    [{ Value: 1, Dimensions: [{ Name: 'a', Value: '' }] }, 'Dimensions.0.Value'],
  ])('refuses %j', (datum, message) => {
    expect(() => put(new MetricStore(1000), [datum])).toThrow(message);
  });

  it('leaves the namespaces of AWS’s services to them', () => {
    const request = { Namespace: 'AWS/Lambda', MetricData: [{ MetricName: 'Errors', Value: 1 }] };
    expect(() => parseRequest(PutMetricData, request)).toThrow('Namespace: must not begin with AWS/');
  });
});

describe('a time scale of 20', () => {
  const started = NOW - 60_000;
  const scale = new TimeScale(20, started);

  it('maps an instant t to t0 + 20 (t - t0)', () => {
    expect(scale.scaled(started)).toBe(started);
    expect(scale.scaled(started + 3_000) - started).toBe(60_000);
    expect(scale.unscaled(scale.scaled(NOW))).toBe(NOW);
  });

  it('maps both ends of a window as instants, and what it answers back: since something happened there is all that came after', () => {
    const store = new MetricStore(50);
    // Five seconds before the window, and nine, twenty and thirty seconds before its end: minutes of scaled time apart.
    put(
      store,
      [45, 30, 20, 9].map((seconds, index) => ({ Timestamp: ago(0) - seconds, Value: index + 1 })),
    );
    const [result] = get(store, { StartTime: ago(0) - 40, EndTime: ago(0) }, scale).MetricDataResults;
    expect(result?.Values).toEqual([2, 3, 4]);
    for (const at of result?.Timestamps ?? []) expect(at).toBeGreaterThan(ago(0) - 44);
  });

  it('is a positive number', () => {
    expect(() => new TimeScale(0, NOW)).toThrow('the time scale is 0');
    expect(() => new TimeScale(Number('fast'), NOW)).toThrow('the time scale is NaN');
  });
});
