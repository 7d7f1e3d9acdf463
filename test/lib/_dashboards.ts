import { ENDPOINT_METRICS } from '#domain/alarm/alarm.ts';
import { DRIFT_METRICS } from '#domain/drift/metrics.ts';
import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import { MODEL_METRICS, SUPERVISION_METRICS } from '#domain/supervision/metrics.ts';
import { namesOf } from '#model/names.ts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import config from '../../gatehouse.config.ts';
import { resourcesOf, synthesised } from './_synth.ts';

const Body = z.object({
  widgets: z.array(
    z.object({
      type: z.string(),
      x: z.number(),
      width: z.number(),
      properties: z.looseObject({
        title: z.string(),
        alarms: z.array(z.string()).default([]),
        metrics: z.array(z.array(z.unknown())).default([]),
      }),
    }),
  ),
});
const EMITTED: readonly string[] = [ENDPOINT_METRICS, DRIFT_METRICS, MODEL_METRICS, SUPERVISION_METRICS].flatMap(
  (each) => Object.values<string>(each),
);

/** That an environment is seen at a glance. */
export function dashboards(): void {
  describe('the dashboard', () => {
    it.each(ENVIRONMENTS)('of %s is one, shows all its alarms, and metrics that are emitted', async (environment) => {
      const names = namesOf(config, environment);
      const of = async (type: string) =>
        resourcesOf(await synthesised(), type).filter((each) => each.environment === environment);
      const [dashboard, ...others] = await of('AWS::CloudWatch::Dashboard');
      expect(others).toEqual([]);
      expect(dashboard?.properties['DashboardName']).toBe(names.name('operations'));
      const text = z
        .union([z.string(), z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) })])
        .transform((value) =>
          typeof value === 'string'
            ? value
            : value['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : '')).join(''),
        )
        .parse(dashboard?.properties['DashboardBody']);
      const { widgets } = Body.parse(JSON.parse(text));
      const alarms = (await of('AWS::CloudWatch::Alarm')).map(({ properties }) =>
        names.arn('cloudwatch', `alarm:${String(properties['AlarmName'])}`),
      );
      expect(widgets.flatMap(({ properties }) => properties.alarms).toSorted()).toEqual(alarms.toSorted());
      for (const { x, width, properties } of widgets) {
        expect(x + width, properties.title).toBeLessThanOrEqual(24);
        for (const [, name, ...dimensions] of properties.metrics) {
          expect(EMITTED, properties.title).toContain(name);
          expect(dimensions).toContain(environment);
        }
      }
      const titles = widgets.map(({ properties }) => properties.title);
      expect(titles).toContain('Dead letters');
      expect(titles.includes('Served release')).toBe(environment === 'staging' || environment === 'prod');
    });
  });
}
