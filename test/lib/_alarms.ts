import { expect, it } from 'vitest';
import { z } from 'zod';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';
import { DRIFT_METRICS } from '#domain/drift/metrics.ts';
import { namesOf } from '#model/names.ts';
import config from '../../gatehouse.config.ts';
import { anchorsOf, document } from '../docs/_documents.ts';
import { resourcesOf, synthesised } from './_synth.ts';

const Alarm = z.looseObject({
  AlarmDescription: z.string(),
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.string() })),
  AlarmActions: z.array(z.string()),
});

const Line = z
  .object({
    _aws: z.object({
      CloudWatchMetrics: z.tuple([
        z.object({
          Namespace: z.string(),
          Dimensions: z.tuple([z.array(z.string())]),
          Metrics: z.array(z.object({ Name: z.string() })),
        }),
      ]),
    }),
  })
  .catchall(z.unknown());

/** The emulator makes no metrics of log lines, so that line and alarm are compared with each other here. */
export function alarms(): void {
  it.each(['staging', 'prod'] as const)(
    '%s has alarms on what its functions emit, for the subscribers of its alerts',
    async (environment) => {
      const lines: string[] = [];
      const emitted = { [DRIFT_METRICS.checks]: 1, [DRIFT_METRICS.index]: 0.2 };
      embeddedMetrics({ now: () => new Date(0) }, (line) => lines.push(line)).emit(
        { environment, model: 'flight-delay' },
        emitted,
      );
      const { _aws: about, ...said } = Line.parse(JSON.parse(lines[0] ?? ''));
      const [directive] = about.CloudWatchMetrics;
      const found = resourcesOf(await synthesised(), 'AWS::CloudWatch::Alarm')
        .filter((alarm) => alarm.environment === environment)
        .map(({ properties }) => Alarm.parse(properties));
      for (const alarm of found) {
        expect(alarm.Namespace).toBe(directive.Namespace);
        expect(directive.Metrics.map(({ Name }) => Name)).toContain(alarm.MetricName);
        expect(alarm.Dimensions.map(({ Name }) => Name)).toEqual(directive.Dimensions[0]);
        for (const { Name, Value } of alarm.Dimensions) expect(Value).toBe(said[Name]);
        expect(alarm.AlarmActions).toEqual([namesOf(config, environment).alertsTopicArn]);
        const [, article = ''] = /docs\/runbook\.md, (.+)$/.exec(alarm.AlarmDescription) ?? [];
        expect(anchorsOf(document('docs/runbook.md'))).toContain(article.toLowerCase().replaceAll(' ', '-'));
      }
      // A check that does not come is as loud as one that finds something; a missing index is alerted otherwise.
      expect(found).toMatchObject([
        {
          MetricName: 'StableInputIndex',
          Threshold: 0.1,
          ComparisonOperator: 'GreaterThanThreshold',
          TreatMissingData: 'notBreaching',
        },
        {
          MetricName: 'DriftChecks',
          Threshold: 1,
          ComparisonOperator: 'LessThanThreshold',
          EvaluationPeriods: 2,
          Period: 86_400,
          TreatMissingData: 'breaching',
        },
      ]);
    },
  );
}
