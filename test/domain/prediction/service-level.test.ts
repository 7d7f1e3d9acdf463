import { expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { serviceLevel } from '#domain/prediction/service-level.ts';

const release = digestOf('served');
const [EARLIER, LATER] = ['2026-03-01T09:00:00.000Z', '2026-03-02T09:00:00.000Z'];
/** A day that was published, and whose events were admitted once more after that. */
const level = (kept: readonly string[]) =>
  serviceLevel(
    {
      definition: {
        sla: { predictionsWithinHours: 24 },
        predictions: { modes: ['batch'], days: 7, onMismatch: 'refuse', lookup: false },
      },
      pointer: { current: release, at: EARLIER },
      catalogue: [{ kind: 'events', day: '2026-02-28', admittedAt: LATER }],
      manifests: [{ day: '2026-02-28', release, publishedAt: EARLIER }],
      kept: new Set(kept),
      waiting: [],
      refusals: [],
    },
    new Date('2026-03-05T09:00:00.000Z'),
  ).overdue.map(({ day }) => day);

it('counts a day as served whose events came back as they were, and not one whose events became others', () => {
  expect(level(['2026-02-28'])).toEqual([]);
  expect(level([])).toEqual(['2026-02-28']);
});
