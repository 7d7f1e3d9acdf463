import { describe, expect, it } from 'vitest';
import { NOTHING } from '#domain/canary/counts.ts';
import { canarySeries, requestsToProof } from '#domain/canary/series.ts';
import { mulberry32 } from '#domain/statistics/bootstrap.ts';
import { arm, drawnArm, judged, minute, minutes, minuteAt, RULE, START } from './_canary.ts';

const series = (given: readonly unknown[], until: string, hasLatencyObjective = true) =>
  canarySeries(RULE, { startedAt: START, until: new Date(until), hasLatencyObjective, minutes: given });

describe('the evidence minute by minute', () => {
  const random = mulberry32(11);
  const given = minutes(40, (index) =>
    minute(
      index,
      drawnArm(30, 0.02, 0.05, random),
      drawnArm(30, 0.02, 0.05, random),
      drawnArm(240, 0.02, 0.05, random),
    ),
  );

  it.each([true, false])('is what a judgement at the end of each minute says, with an objective: %s', (has) => {
    const points = series(given.toReversed(), minuteAt(40), has);
    expect(points).toHaveLength(40);
    for (const [index, { at, eValues }] of points.entries()) {
      expect(at).toBe(minuteAt(index + 1));
      expect(eValues).toEqual(judged(given.slice(0, index + 1), { hasLatencyObjective: has }).eValues);
    }
  });

  it('ends where a judgement has ended the canary', () => {
    const failing = minutes(60, (index) => minute(index, arm(10, index >= 5 ? 2 : 0)));
    const { decidedAt, eValues } = judged(failing);
    const points = series(failing, decidedAt ?? '');
    expect(points.at(-1)).toMatchObject({ at: decidedAt, eValues });
    expect(points.at(-2)?.eValues.regression).toBeLessThan(100);
  });

  it('leaves out what are no counts, and counts an arm without data as nothing', () => {
    const points = series([minute(0, null), { minute: 'never' }], minuteAt(5));
    expect(points.map(({ counts }) => counts)).toEqual([{ candidate: NOTHING, control: arm(10), champion: arm(80) }]);
  });
});

describe('requests until the proof', () => {
  const needed = (candidate = NOTHING, champion = arm(1000)) =>
    requestsToProof(RULE, { candidate, control: NOTHING, champion });

  it('are what 478 requests without an error lack', () => {
    expect(needed(arm(100)) ?? 0).toBeGreaterThan(300);
    expect((needed(arm(100)) ?? 0) + 100).toBeLessThan(500);
    expect(needed(arm(1000))).toBe(0);
  });

  it('are more, the more of them fail', () => {
    expect(needed(arm(500, 1)) ?? 0).toBeGreaterThan(needed(arm(500)) ?? 0);
  });

  it('are not known without requests, and of a candidate that is bad', () => {
    expect(needed()).toBeNull();
    expect(needed(arm(100), NOTHING)).toBeNull();
    expect(needed(arm(500, 50), arm(1000, 10))).toBeNull();
  });
});
