import { expect, it } from 'vitest';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';

it('writes a line from which CloudWatch makes metrics: a directive, and each name that it names', () => {
  const lines: string[] = [];
  const at = new Date('2026-03-02T09:00:00.000Z');
  const metrics = embeddedMetrics({ now: () => at }, (line) => lines.push(line));
  metrics.emit({ environment: 'prod', model: 'm' }, { HoursWithoutDriftCheck: 1, StableInputIndex: 0.38 });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      _aws: {
        Timestamp: at.getTime(),
        CloudWatchMetrics: [
          {
            Namespace: 'Gatehouse',
            Dimensions: [['environment', 'model']],
            Metrics: [
              { Name: 'HoursWithoutDriftCheck', Unit: 'None' },
              { Name: 'StableInputIndex', Unit: 'None' },
            ],
          },
        ],
      },
      environment: 'prod',
      model: 'm',
      HoursWithoutDriftCheck: 1,
      StableInputIndex: 0.38,
    },
  ]);
});
