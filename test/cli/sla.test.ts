import { expect, it } from 'vitest';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import { slaReport, type SlaSources } from '#cli/commands/status/sla.ts';
import { render } from '#cli/report.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { keys } from '#domain/ledger/keys.ts';
import { advancePointer } from '#domain/promotion/pointer.ts';
import { loggedRequest } from '#test/domain/prediction/_logged.ts';
import { online } from '#test/serving/_endpoint.ts';
import { bytes, definition, MODEL, SQL } from '#test/use-cases/_environments.ts';
import { makeRelease } from '#test/use-cases/_releases.ts';
import { fill, testContext } from './_context.ts';

/** Prod serves a release, online or not, and the clock says 12:00:00Z: the log is whole until 11:58. */
async function served(of = online) {
  const test = testContext({ model: MODEL, sla: true });
  const release = await makeRelease(test.releasesOf('prod'), 'good', 'trained', {
    definition: of,
    sql: SQL,
    onnx: bytes('M'),
  });
  const next = {
    model: MODEL,
    environment: 'prod',
    current: release,
    version: '0.1.1',
    fencingToken: 1,
    writtenBy: 'x',
  };
  const pointer = advancePointer(undefined, { ...next, at: '2026-02-01T09:00:00.000Z' }, []);
  await fill(test.ledgerOf('prod'), [{ ...keys.pointer(MODEL), ...pointer }]);
  return { test, release };
}

/** Requests that began at some times, of events of a day that is long over. */
async function logged(release: Digest, requests: readonly (readonly [startedAt: string, milliseconds: number])[]) {
  const store = memoryRequestStore();
  await store.add(
    requests.map(([startedAt, milliseconds], index) => ({
      request: loggedRequest({
        request: `call ${index}`,
        model: MODEL,
        release,
        startedAt,
        milliseconds,
        day: '2001-01-25',
      }),
      raw: null,
    })),
  );
  return store;
}

/** The API was called as often as it answered, and failed twice within the last hour. */
const metrics = (answered: number): SlaSources['metrics'] => ({
  async read(queries, { from, periodSeconds }) {
    const at = new Date('2026-03-02T11:30:00.000Z');
    const value = (name: string): number => (name === 'failed' ? 2 : answered);
    expect(periodSeconds).toBe(from < new Date('2026-03-01') ? 3600 : 60);
    const series = Object.keys(queries).map((name) => [name, [{ at, value: value(name) }]]);
    return Object.fromEntries(series) as never;
  },
});

it('says how much of the error budget was spent, in each window, by the log and by CloudWatch', async () => {
  const { test, release } = await served();
  const requests = await logged(release, [
    ['2026-03-02T11:00:00.000Z', 900],
    ['2026-03-02T11:57:59.999Z', 1000],
    ['2026-03-02T07:00:00.000Z', 1001],
    ['2026-02-05T07:00:00.000Z', 5000],
    // Not whole yet, and too long ago.
    ['2026-03-02T11:58:00.000Z', 5000],
    ['2026-01-15T07:00:00.000Z', 5000],
  ]);
  const report = await slaReport(test.context, [MODEL], async () => ({ requests, metrics: metrics(2), api: 'api' }));
  expect(report.data).toMatchObject({
    models: [
      {
        environments: [
          { environment: 'staging', reason: 'nothing is served' },
          {
            environment: 'prod',
            objective: { share: 0.99, milliseconds: 1000 },
            until: '2026-03-02T11:58:00.000Z',
            windows: [
              { window: '1 h', answered: 2, slow: 0, failed: 2, badShare: 0.5, burn: expect.closeTo(50, 6) },
              { window: '6 h', answered: 3, slow: 1, failed: 2, badShare: 0.6 },
              // Of whole hours, which are those that CloudWatch still has.
              { window: '30 days', answered: 2, slow: 2, failed: 2, budget: { spent: 4 } },
            ],
          },
        ],
      },
    ],
  });
  const text = render(report, 'table');
  expect(text).toContain('toy@0.1.1 in prod: 99.00 % of requests within 1000 ms, known until 2026-03-02 11:58Z');
  expect(text).toMatch(/1 h +2 +0 +2 +50\.00 % +50\.00 +2 of 0\.0, OVERSPENT/);
  expect(text).toContain('toy in staging: no service level of answers: nothing is served');
});

it.each([
  [
    'the metric',
    { metrics: { read: () => Promise.reject(new GatehouseError('METRICS_UNREAD', 'failed: Forbidden')) } },
    /CloudWatch cannot be read: GatehouseError: failed: Forbidden/,
  ],
  [
    'the request log',
    { requests: { days: () => Promise.reject(new Error('AccessDenied')), fetch: async () => [] } },
    /the request log cannot be read: Error: AccessDenied/,
  ],
])('says that nothing is known where %s cannot be read', async (_, broken, why) => {
  const { test, release } = await served();
  const requests = await logged(release, [['2026-03-02T11:00:00.000Z', 900]]);
  const sources = { requests, metrics: metrics(1), api: 'api', ...broken };
  const report = await slaReport(test.context, [MODEL], async () => sources);
  const text = render(report, 'table');
  expect(text.match(/NOT KNOWN/g)).toHaveLength(3);
  expect(text).toMatch(why);
});

it('says why there is no objective', async () => {
  const { test } = await served(definition);
  const report = await slaReport(test.context, [MODEL], async () => 'no endpoint is deployed');
  expect(render(report, 'table')).toContain(
    'toy@0.1.1 in prod: no service level of answers: the served release answers no requests',
  );
  const online = await served();
  const none = await slaReport(online.test.context, [MODEL], async () => 'no endpoint is deployed');
  expect(render(none, 'table')).toContain('toy@0.1.1 in prod: no service level of answers: no endpoint is deployed');
});
