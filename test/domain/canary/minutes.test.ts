import { describe, expect, it } from 'vitest';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import { canonicalJson, parseCanonical } from '#domain/canonical/digest.ts';

describe('the minutes of a canary', () => {
  it('that were stored before arms said what they were late for read as late for nothing', () => {
    const counts = { requests: 10, errors: 1, slow: 2 };
    const minute = '2026-03-02T12:00:00.000Z';
    const stored = canonicalJson({
      formatVersion: 1,
      model: 'toy',
      from: minute,
      until: '2026-03-02T12:01:00.000Z',
      minutes: [{ minute, candidate: counts, control: null, champion: counts }],
    });
    expect(parseCanonical(CanaryMinutes, stored, 'canary minutes')).toMatchObject({
      minutes: [{ candidate: { ...counts, late: 0 }, control: null, champion: { late: 0 } }],
    });
  });
});
