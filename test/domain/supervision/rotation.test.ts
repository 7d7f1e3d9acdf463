import { describe, expect, it } from 'vitest';
import { dueInHour, hourOf, rotationFrom } from '#domain/supervision/rotation.ts';

const ITEMS = Array.from({ length: 200 }, (_, index) => ({ name: `unit ${index}` }));
const NOW = new Date('2026-03-02T09:30:00Z');

describe('a rotation', () => {
  it('looks at each thing once, and takes as many hours as it says', () => {
    const from = hourOf(NOW);
    const seen = Array.from({ length: 24 }, (_, hour) =>
      dueInHour(ITEMS, from + hour, { hours: 24, after: null }).map(({ name }) => name),
    ).flat();
    expect(seen.toSorted()).toEqual(ITEMS.map(({ name }) => name).toSorted());
  });

  it('goes on where it stopped within an hour', () => {
    const all = dueInHour(ITEMS, 7, { hours: 24, after: null });
    expect(all.length).toBeGreaterThan(2);
    expect(dueInHour(ITEMS, 7, { hours: 24, after: all[0]?.name ?? '' })).toEqual(all.slice(1));
  });

  it.each([
    ['begins with the hour that it is', undefined, -1],
    ['makes good what it stood still for', { hour: hourOf(NOW) - 5, hours: 24, after: null }, -5],
    ['makes good not more than all', { hour: hourOf(NOW) - 500, hours: 24, after: null }, -24],
    ['makes a whole one where it is to take another time', { hour: hourOf(NOW), hours: 48, after: null }, -24],
  ])('%s', (_, cursor, hours) => {
    expect(rotationFrom(cursor, 24, NOW).hour - hourOf(NOW)).toBe(hours);
  });
});
