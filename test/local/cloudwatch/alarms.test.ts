import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Alarms } from '#local/cloudwatch/alarms.ts';
import { sampleOf } from '#local/cloudwatch/statistics.ts';
import { MetricStore } from '#local/cloudwatch/store.ts';
import { TimeScale } from '#local/cloudwatch/time-scale.ts';

const ACCOUNT = '111111111111';
const NOW = Date.parse('2026-11-30T08:00:00Z');
const MINUTE = 60_000;

interface Deployed {
  readonly AlarmName: string;
  readonly Namespace?: string;
  readonly Statistic?: string;
  StateValue: string;
}

const ERRORS = {
  Namespace: 'N',
  MetricName: 'm',
  Statistic: 'Sum',
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 0,
  ComparisonOperator: 'GreaterThanThreshold',
  TreatMissingData: 'notBreaching',
  StateValue: 'OK',
};
const deployed = (AlarmName: string, own: Partial<Deployed> = {}): Deployed => ({ ...ERRORS, AlarmName, ...own });

/** The alarms of an emulator, and each state that was set, in order. */
let alarms: Deployed[] = [];
let set: string[] = [];
let refusing = '';
let said: string[] = [];
let server: ReturnType<typeof serve>;
let endpoint = '';

beforeAll(async () => {
  const app = new Hono().post('/', async (context) => {
    const operation = context.req.header('x-amz-target')?.split('.')[1];
    if (operation === 'DescribeAlarms') return context.json({ MetricAlarms: alarms });
    const { AlarmName, StateValue } = await context.req.json<Record<string, string>>();
    if (AlarmName === refusing) return context.json({ __type: 'ResourceNotFound', message: 'gone' }, 400);
    set.push(`${AlarmName} ${StateValue}`);
    for (const alarm of alarms) if (alarm.AlarmName === AlarmName) alarm.StateValue = StateValue ?? '';
    return context.json({});
  });
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
      endpoint = `http://127.0.0.1:${port}`;
      resolve();
    });
  });
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  [set, refusing, said] = [[], '', []];
});

/** What evaluates the alarms, and the store that it reads; values of `N m`, so many milliseconds before now. */
function evaluating(
  samples: readonly (readonly [ago: number, value: number])[],
  scale = new TimeScale(1, NOW),
): Alarms {
  const store = new MetricStore(1000 / scale.factor);
  for (const [ago, value] of samples)
    store.add(ACCOUNT, { namespace: 'N', name: 'm', dimensions: {} }, sampleOf(NOW - ago, value, 'None'));
  return new Alarms({ store, scale, endpoint, region: 'us-east-1', say: (message) => said.push(message) });
}

test('a state is set where it changes, once, and an evaluation is not done twice', async () => {
  alarms = [deployed('a'), deployed('b', { Namespace: 'other' })];
  const evaluator = evaluating([[MINUTE / 2, 1]]);
  for (const later of [0, 1, 30_000, MINUTE, 2 * MINUTE]) await evaluator.evaluate(ACCOUNT, NOW + later);
  expect(set).toEqual(['a ALARM']);
  await evaluator.evaluate(ACCOUNT, NOW + 4 * MINUTE);
  expect(set).toEqual(['a ALARM', 'a OK']);
});

test('a state that was set by hand lasts until the next evaluation', async () => {
  alarms = [deployed('a')];
  const evaluator = evaluating([]);
  await evaluator.evaluate(ACCOUNT, NOW);
  alarms = [deployed('a', { StateValue: 'ALARM' })];
  await evaluator.evaluate(ACCOUNT, NOW + 30_000);
  expect(set).toEqual([]);
  await evaluator.evaluate(ACCOUNT, NOW + MINUTE);
  expect(set).toEqual(['a OK']);
});

test('evaluations that fell between two looks are done all the same', async () => {
  alarms = [deployed('a')];
  // At a hundred times the clock's speed: a sample two scaled minutes after the first look, and a second look after ten.
  const evaluator = evaluating([[-1_200, 1]], new TimeScale(100, NOW));
  await evaluator.evaluate(ACCOUNT, NOW);
  await evaluator.evaluate(ACCOUNT, NOW + 6_000);
  expect(set).toEqual(['a ALARM', 'a OK']);
});

test('an alarm that cannot be set or evaluated does not keep others from it, and is said once', async () => {
  alarms = [deployed('broken'), deployed('percentile', { Statistic: 'p99' }), deployed('whole')];
  refusing = 'broken';
  const evaluator = evaluating([[MINUTE / 2, 1]]);
  await evaluator.evaluate(ACCOUNT, NOW);
  await evaluator.evaluate(ACCOUNT, NOW);
  expect(set).toEqual(['whole ALARM']);
  expect(said.filter((message) => message.includes('could not be evaluated'))).toEqual([
    expect.stringMatching(/^the alarm broken of 111111111111 could not be evaluated: .*gone/),
  ]);
  expect(said.filter((message) => message.includes('is not evaluated'))).toEqual([
    expect.stringMatching(/^the alarm percentile of 111111111111 is not evaluated: Statistic/),
  ]);
});
