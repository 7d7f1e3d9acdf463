import { expect, it } from 'vitest';
import { z } from 'zod';
import type { MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { evaluateAt, watched } from '#local/cloudwatch/alarm.ts';
import { sampleOf } from '#local/cloudwatch/statistics.ts';
import { MetricStore } from '#local/cloudwatch/store.ts';
import { TimeScale } from '#local/cloudwatch/time-scale.ts';
import { AlarmKind, ENDPOINT_METRICS } from '#domain/alarm/alarm.ts';
import { queriesOf } from '#domain/alarm/samples.ts';
import { DRIFT_METRICS } from '#domain/drift/metrics.ts';
import { READINESS_METRIC } from '#domain/rollback-readiness/readiness.ts';
import { SUPERVISION_METRICS } from '#domain/supervision/metrics.ts';
import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { anchorsOf, document } from '../docs/_documents.ts';
import { resourcesOf, synthesised } from './_synth.ts';

const Alarm = z.looseObject({
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
  AlarmActions: z.array(z.unknown()),
});

const MODEL = 'flight-delay';

/** Dimensions in the order of their names. */
function inOrder(dimensions: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return dimensions.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
}

/** What alarms watch is what functions emit: the metrics that the trigger reads, and those of the drift check. */
export function alarms(): void {
  it.each(['staging', 'prod'] as const)(
    '%s has alarms on what is emitted, each with an article, for the subscribers of its alerts',
    async (environment) => {
      const names = namesOf(config, environment);
      const functionName = names.functionName(`endpoint-${MODEL}`);
      const endpoint = { environment, model: MODEL, api: 'api', functionName };
      const read = AlarmKind.options.flatMap((kind) => Object.values(queriesOf(kind, endpoint)));
      const own = { environment, model: MODEL };
      const drift = Object.values(DRIFT_METRICS).map((name) => ({ namespace: 'Gatehouse', name, dimensions: own }));
      const probes = { namespace: 'Gatehouse', name: ENDPOINT_METRICS.unprobed, dimensions: own };
      const readiness = { namespace: 'Gatehouse', name: READINESS_METRIC, dimensions: own };
      const { supervised, deadLetters } = SUPERVISION_METRICS;
      const rounds = [supervised, deadLetters].map((name) => ({
        namespace: 'Gatehouse',
        name,
        dimensions: { environment },
      }));
      const known = [...read, ...drift, probes, readiness, ...rounds].map(({ namespace, name, dimensions }) => ({
        namespace,
        name,
        dimensions: inOrder(Object.entries(dimensions)),
      }));
      const found = resourcesOf(await synthesised(), 'AWS::CloudWatch::Alarm')
        .filter((alarm) => alarm.environment === environment)
        .map(({ properties }) => Alarm.parse(properties));
      for (const alarm of found) {
        // The id of an API is known when it is deployed.
        const dimensions = alarm.Dimensions.map(({ Name, Value }) => [Name, typeof Value === 'string' ? Value : 'api']);
        expect(known).toContainEqual({
          namespace: alarm.Namespace,
          name: alarm.MetricName,
          dimensions: inOrder(dimensions),
        });
        expect(alarm.AlarmActions).toContain(names.alertsTopicArn);
        const [, article = ''] = /docs\/runbook\.md, (.+)$/.exec(alarm.AlarmDescription) ?? [];
        expect(anchorsOf(document('docs/runbook.md'))).toContain(article.toLowerCase().replaceAll(' ', '-'));
        expect(document('docs/runbook.md').text).toContain(
          alarm.AlarmName.replace(`-${environment}-`, '-<env>-').replace(MODEL, '<model>'),
        );
      }
      // What can roll back wakes the function that judges it; nothing else does.
      const waking = found.filter(({ AlarmActions }) => AlarmActions.length > 1).map(({ AlarmName }) => AlarmName);
      expect(waking.toSorted()).toEqual(
        AlarmKind.options.map((kind) => names.name(`endpoint-${kind}-${MODEL}`)).toSorted(),
      );
      const of = (name: string) => found.find(({ AlarmName }) => AlarmName === names.name(`${name}-${MODEL}`));
      // A check that does not come is as loud as one that finds something; a missing index is alerted otherwise.
      expect(of('drift')).toMatchObject({
        MetricName: 'StableInputIndex',
        Threshold: 0.1,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'notBreaching',
      });
      expect(of('drift-unchecked')).toMatchObject({ MetricName: DRIFT_METRICS.unchecked, Threshold: 48 });
      // The worst of a day; a check that does not come is told as well.
      expect(of('rollback-not-ready')).toMatchObject({
        Statistic: 'Minimum',
        Period: 86_400,
        Threshold: 1,
        ComparisonOperator: 'LessThanThreshold',
        TreatMissingData: 'missing',
        InsufficientDataActions: [names.alertsTopicArn],
      });
      // One period, so that low traffic is seen as well; what is missing never rolls back.
      expect(of('endpoint-errors')).toMatchObject({
        Namespace: 'AWS/ApiGateway',
        MetricName: '5xx',
        Statistic: 'Sum',
        Period: 300,
        EvaluationPeriods: 1,
        Threshold: 5,
        TreatMissingData: 'notBreaching',
      });
      expect(of('endpoint-latency')).toMatchObject({
        Statistic: 'Average',
        Period: 600,
        EvaluationPeriods: 1,
        Threshold: 0.01,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'notBreaching',
      });
      expect(of('endpoint-health')).toMatchObject({
        Period: 60,
        DatapointsToAlarm: 3,
        EvaluationPeriods: 5,
        TreatMissingData: 'ignore',
      });
    },
  );

  const beginning = (hours: number, from: number): readonly number[] =>
    Array.from({ length: hours }, (_, hour) => from + hour);
  const NONE = [undefined, undefined, undefined, undefined, undefined];
  it.each([
    ['a new cloud, where nothing is served', [...NONE, ...beginning(60, 0).map(() => 0)], []],
    ['a cloud in which no check ever comes', [undefined, ...beginning(60, 0)], ['hour 50: ALARM']],
    ['a cloud that is checked each day', beginning(120, 0).map((hour) => hour % 25), []],
    ['a cloud in which checks stop, and come again', [...beginning(50, 10), 0, 1, 2], ['hour 39: ALARM']],
    ['a cloud in which nobody reports any more', [0, 1, 2, ...NONE], ['hour 5: INSUFFICIENT_DATA']],
  ])('the alarm on drift checks that do not come pages as it should in %s', async (_, hours, pages) => {
    const [deployed] = resourcesOf(await synthesised(), 'AWS::CloudWatch::Alarm')
      .map(({ properties }) => properties as MetricAlarm)
      .filter(({ MetricName }) => MetricName === DRIFT_METRICS.unchecked);
    expect(pagesOf({ ...deployed, StateValue: 'INSUFFICIENT_DATA' }, hours)).toEqual(pages);
  });
}

const HOUR = 3_600_000;

/** The transitions of an alarm that somebody is told, by CloudWatch's rules, where its metric is emitted at ten past each hour. */
function pagesOf(alarm: MetricAlarm, hours: readonly (number | undefined)[]): readonly string[] {
  const rule = watched(alarm);
  if (typeof rule === 'string') throw new Error(rule);
  const [start, store, scale] = [Date.UTC(2026, 10, 1), new MetricStore(1000), new TimeScale(1, 0)];
  const actions = { OK: alarm.OKActions, ALARM: alarm.AlarmActions, INSUFFICIENT_DATA: alarm.InsufficientDataActions };
  const pages: string[] = [];
  let { state } = rule;
  for (const [hour, value] of hours.entries())
    for (let minute = 0; minute < 60; minute += 10) {
      const at = start + hour * HOUR + minute * 60_000;
      const { state: next } = evaluateAt(store, scale, '', rule, at, state);
      if (next !== state && (actions[next] ?? []).length > 0) pages.push(`hour ${hour}: ${next}`);
      state = next;
      if (minute === 10 && value !== undefined) store.add('', rule.metric, sampleOf(at, value, 'None'));
    }
  return pages;
}
