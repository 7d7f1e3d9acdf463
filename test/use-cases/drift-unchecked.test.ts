import { beforeEach, expect, it } from 'vitest';
import { memoryMetrics } from '#adapters/memory/metrics.ts';
import { checkServiceLevel } from '#use-cases/inference/check-service-level.ts';
import { begin, check, here, prod, serve } from './_drift.ts';
import { type Environment, MODEL } from './_environments.ts';
import { day } from './_watched.ts';

beforeEach(begin);

const HOUR = 3_600_000;

/** The hours that the hourly check reports, so long after now. */
async function reported(hours: number, own: Environment = prod): Promise<unknown> {
  const metrics = memoryMetrics();
  const clock = { now: () => new Date(own.clock.now().getTime() + hours * HOUR) };
  await checkServiceLevel({ ...own, clock, metrics })({ model: MODEL });
  return metrics.emitted;
}
const hours = (HoursWithoutDriftCheck: number, environment = 'prod') => [
  [{ environment, model: MODEL }, { HoursWithoutDriftCheck }],
];

it('reports the hours since what is served was checked, and since anything is served before the first check', async () => {
  expect(await reported(0)).toEqual(hours(0));
  expect(await reported(50)).toEqual(hours(50));
  here.clock.at += 30 * HOUR;
  const { release } = await here.letIn('second');
  // A promotion is no check.
  expect(await reported(20)).toEqual(hours(50));
  await serve(release, day(0), day(11));
  await check(day(12));
  // Judged twenty minutes after it was planned.
  expect(await reported(9 + 1 / 3)).toEqual(hours(9));
});

it('takes no failed check for one that came to its end', async () => {
  await serve(here.baseline, day(0), day(11));
  const failing = { ...prod, documents: { ...prod.documents, read: () => Promise.reject(new Error('gone')) } };
  expect((await check(day(12), {}, failing)).ending).toBe('Failed');
  expect(await reported(50)).toEqual(hours(50));
});

it('reports nothing unchecked where nothing is served', async () => {
  expect(await reported(50, here.environment('staging'))).toEqual(hours(0, 'staging'));
});
