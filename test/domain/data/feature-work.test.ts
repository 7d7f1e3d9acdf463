import { expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { batchesWithin } from '#domain/data/feature-work.ts';
import { addDays, type InputPartition } from '#domain/data/partition.ts';

/** A day's events of so many bytes. */
const events = (day: string, size: number): InputPartition => {
  const object = { bucket: 'landing', key: `e/${day}`, versionId: '1', sha256: digestOf(day), size };
  return { kind: 'events', day, version: 1, digest: digestOf(day), objects: [object] };
};
/** Days that each read their own events and those of the two days before. */
const days = (sizes: readonly number[]): { day: string; events: InputPartition[] }[] => {
  const own = sizes.map((size, index) => events(addDays('2026-03-01', index), size));
  return own.map(({ day }, index) => ({ day, events: own.slice(Math.max(0, index - 2), index + 1) }));
};

it.each([
  ['inputs that are shared count once', [10, 10, 10, 10, 10], 50, [5]],
  ['a group ends before it has too much', [10, 10, 10, 10, 10], 40, [4, 1]],
  ['a new group counts its own trailing inputs', [10, 10, 10, 10, 10], 30, [3, 1, 1]],
  ['a day that has more stands alone', [10, 100, 10, 10, 10], 30, [1, 1, 1, 1, 1]],
  ['there is nothing', [], 30, []],
])('%s', (_, sizes, bytes, expected) => {
  const groups = batchesWithin(days(sizes), bytes);
  expect(groups.map((group) => group.length)).toEqual(expected);
  expect(groups.flat().map(({ day }) => day)).toEqual(days(sizes).map(({ day }) => day));
});
