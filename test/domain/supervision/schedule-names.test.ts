import { expect, it } from 'vitest';
import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import { schedulesOf } from '#domain/supervision/schedules.ts';
import { definition } from '#test/use-cases/_environments.ts';

/** What EventBridge Scheduler, and SQS, take at most; each schedule has a queue of what it could not deliver. */
const [SCHEDULE_NAME, QUEUE_NAME] = [64, 80];

it('names each schedule, and its queue, as AWS takes it, also of the model with the longest name', () => {
  const longest = { ...definition, name: 'm'.repeat(32) };
  for (const environment of ENVIRONMENTS)
    for (const { name } of schedulesOf(environment, [longest])) {
      const full = `gatehouse-${environment}-${name}`;
      expect(full.length, full).toBeLessThanOrEqual(SCHEDULE_NAME);
      expect(`${full}-undelivered`.length, full).toBeLessThanOrEqual(QUEUE_NAME);
    }
});
