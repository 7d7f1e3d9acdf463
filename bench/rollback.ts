// From the first bad request to the switched pointer, in process: the alarm's own period apart from what the pipeline adds.
// Time is simulated but for what the functions take; CloudWatch's evaluation is that of local/cloudwatch.
import { performance } from 'node:perf_hooks';
import { keys } from '#domain/ledger/keys.ts';
import { policyDigest } from '#domain/model/deployed.ts';
import { evaluateAt, watched } from '#local/cloudwatch/alarm.ts';
import { datapoints, sampleOf } from '#local/cloudwatch/statistics.ts';
import { MetricStore } from '#local/cloudwatch/store.ts';
import { TimeScale } from '#local/cloudwatch/time-scale.ts';
import { readPointer } from '#read-model/pointer.ts';
import { SERVING } from '#test/domain/alarm/_serving.ts';
import { MODEL, policy } from '#test/use-cases/_environments.ts';
import { rollBack } from '#test/use-cases/_machine.ts';
import { scene } from '#test/use-cases/_scene.ts';
import { actOnAlarm } from '#use-cases/alarm/act-on-alarm.ts';
import { type Figure, figure, quantile, report } from './_report.ts';

const REQUESTS_PER_SECOND = 50;
/** CloudWatch looks at an alarm of whole minutes once a minute. */
const EVALUATED_EVERY_MS = 60_000;
const ROUNDS = 20;
const API = { namespace: 'AWS/ApiGateway', dimensions: { ApiId: 'api1' } };

/** The function crashes on each bad request. */
const CRASHES = { namespace: 'AWS/Lambda', name: 'Errors', dimensions: { FunctionName: 'endpoint' } };

interface Round {
  /** Milliseconds from the first bad request until the alarm is evaluated, of the clock of the simulation. */
  readonly alarmMs: number;
  /** Milliseconds of this machine from the alarm until the pointer has switched. */
  readonly switchedMs: number;
  readonly failed: number;
}

/** A share of the requests fails from one moment on, until the pointer has switched. */
async function round(share: number, offsetMs: number): Promise<Round> {
  const here = await scene();
  const { prod, clock } = here;
  await here.begin();
  const rules = { ...policy, serving: SERVING };
  const active = { formatVersion: 1, policy: policyDigest(rules), activation: 1, rules };
  await prod.ledger.transact([{ kind: 'put', item: { ...keys.policy(MODEL), ...active } }], 'policy');
  const { release } = await here.letIn('bad');
  clock.at = Math.ceil(clock.at / EVALUATED_EVERY_MS) * EVALUATED_EVERY_MS + 600_000 + offsetMs;
  const began = clock.at;
  const store = new MetricStore(2_000_000);
  const scale = new TimeScale(1, began);
  const rule = watched({
    AlarmName: 'errors',
    Namespace: API.namespace,
    MetricName: '5xx',
    Dimensions: [{ Name: 'ApiId', Value: API.dimensions.ApiId }],
    StateValue: 'OK',
    Statistic: 'Sum',
    Period: SERVING.errors.minutes * 60,
    EvaluationPeriods: 1,
    Threshold: SERVING.errors.minimumCount,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    TreatMissingData: 'notBreaching',
  });
  if (typeof rule === 'string') throw new Error(rule);
  let [failed, state] = [0, rule.state];
  for (;;) {
    const next = (Math.floor(clock.at / EVALUATED_EVERY_MS) + 1) * EVALUATED_EVERY_MS;
    for (; clock.at < next; clock.at += 1000 / REQUESTS_PER_SECOND) {
      const isBad = Math.floor((failed + 1) / share) <= ((clock.at - began) * REQUESTS_PER_SECOND) / 1000;
      if (isBad) failed += 1;
      store.add('', { ...API, name: 'Count' }, sampleOf(clock.at, 1, 'None'));
      store.add('', CRASHES, sampleOf(clock.at, Number(isBad), 'None'));
      store.add('', { ...API, name: '5xx' }, sampleOf(clock.at, Number(isBad), 'None'));
    }
    ({ state } = evaluateAt(store, scale, '', rule, clock.at, state));
    if (state !== 'ALARM') continue;
    const start = performance.now();
    const acted = await actOnAlarm(
      {
        ...prod,
        metrics: {
          read: async (queries, { from, until }) =>
            Object.fromEntries(
              Object.entries(queries).map(([name, query]) => {
                const { namespace, name: metric, dimensions } = query as (typeof queries)[keyof typeof queries];
                const samples = store
                  .samples('', { namespace, name: metric, dimensions }, undefined)
                  .filter(({ at }) => at >= from.getTime() && at < until.getTime());
                const minutes = datapoints(samples, 'Sum', Math.floor(from.getTime() / 60_000) * 60_000, 60_000);
                return [name, minutes.map(({ at, value }) => ({ at: new Date(at), value }))];
              }),
            ) as never,
        },
      },
      {
        endpoint: { environment: 'prod', model: MODEL, api: 'api1', functionName: 'endpoint' },
        kind: 'errors',
        alarm: 'errors',
        firedAt: new Date(clock.at),
      },
    );
    if (acted.verdict !== 'roll-back') continue;
    const [started] = [...prod.machines.started.values()].filter(({ machine }) => machine === 'rollback');
    let switchedMs = 0;
    await rollBack(prod, (started?.input ?? {}) as Record<string, unknown>, {
      after: async (entered) => {
        if (entered === 'Switch pointer') switchedMs = performance.now() - start;
      },
    });
    if ((await readPointer(prod.ledger, MODEL))?.current === release) throw new Error('the pointer has not switched');
    return { alarmMs: clock.at - began, switchedMs, failed };
  }
}

const figures: Figure[] = [];
for (const share of [1, 0.2, 0.08]) {
  const rounds: Round[] = [];
  for (let index = 0; index < ROUNDS; index += 1)
    rounds.push(await round(share, (index * EVALUATED_EVERY_MS) / ROUNDS));
  const period = SERVING.errors.minutes * 60;
  const seconds =
    quantile(
      rounds.map(({ alarmMs }) => alarmMs),
      0.5,
    ) / 1000;
  const name = `${100 * share} % of ${REQUESTS_PER_SECOND} requests/s fail`;
  figures.push(
    figure(`${name}: from the first until the alarm, median`, 's', seconds, ['the alarm’s period', period], {
      ratioAtMost: 1,
    }),
    figure(
      `${name}: from the alarm until the pointer has switched, median`,
      'ms',
      quantile(
        rounds.map(({ switchedMs }) => switchedMs),
        0.5,
      ),
      ['the alarm’s period, in ms', period * 1000],
      { ratioAtMost: 0.01 },
    ),
    figure(
      `${name}: failed requests meanwhile, median`,
      'requests',
      quantile(
        rounds.map(({ failed }) => failed),
        0.5,
      ),
      ['those of one period', share * REQUESTS_PER_SECOND * period],
      { ratioAtMost: 1 },
    ),
  );
}
report(
  'rollback',
  {
    title: 'Automatic rollback',
    about: `In process: the ledger in memory, alarms evaluated each minute by CloudWatch’s rules (\`local/cloudwatch\`), ${ROUNDS} rounds that begin at different seconds of a minute. Left out: how late CloudWatch has metrics (a minute or two), the start of functions, and Step Functions.`,
    versions: {},
  },
  figures,
);
