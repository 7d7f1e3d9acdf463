import { expect, it } from 'vitest';
import { hoursUnchecked } from '#domain/drift/hours-unchecked.ts';

const NOW = new Date('2026-11-30T08:00:00Z');
const SERVED = '2026-11-20T08:00:00Z';

it.each([
  ['nothing is served', undefined, ['2026-11-01T08:00:00Z'], 0],
  ['no check ever came', SERVED, [], 240],
  ['checks came, in whatever order they are told', SERVED, ['2026-11-30T05:00:00Z', '2026-11-28T05:00:00Z'], 3],
  ['the last check is of before anything was served', SERVED, ['2026-11-19T05:00:00Z'], 240],
  ['a clock is behind', SERVED, ['2026-11-30T08:05:00Z'], 0],
])('where %s', (_, servedSince, ends, hours) => {
  expect(hoursUnchecked(servedSince, ends, NOW)).toBe(hours);
});
