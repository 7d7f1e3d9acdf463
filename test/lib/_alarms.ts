import { expect, it } from 'vitest';
import { z } from 'zod';
import { AlarmKind } from '#domain/alarm/alarm.ts';
import { queriesOf } from '#domain/alarm/samples.ts';
import { DRIFT_METRICS } from '#domain/drift/metrics.ts';
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
      const probes = { namespace: 'Gatehouse', name: 'Probes', dimensions: own };
      const known = [...read, ...drift, probes].map(({ namespace, name, dimensions }) => ({
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
      expect(of('drift-unchecked')).toMatchObject({
        MetricName: 'DriftChecks',
        Threshold: 1,
        ComparisonOperator: 'LessThanThreshold',
        Period: 86_400,
        TreatMissingData: 'breaching',
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
      expect(of('endpoint-unprobed')).toMatchObject({ TreatMissingData: 'breaching' });
    },
  );
}
