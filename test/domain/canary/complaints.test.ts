// What users of today's rollout tools complain about, each as the judge answers it.
import { describe, expect, test } from 'vitest';
import { mulberry32 } from '#domain/statistics/bootstrap.ts';
import { drawBinomial } from '#domain/statistics/draws.ts';
import { arm, drawnArm, judged, minute, minutes } from './_canary.ts';

describe('complaints', () => {
  test('no data reverted the release', () => {
    expect(judged([], { afterMinutes: 5 })).toMatchObject({ verdict: 'continue', minutes: 0 });
    expect(judged([], { afterMinutes: 60 })).toMatchObject({ verdict: 'pause', minutes: 0 });
    const lost = minutes(60, (index) => minute(index, null, null, null));
    expect(judged(lost)).toMatchObject({
      verdict: 'pause',
      minutes: 0,
      found: expect.stringMatching(/no requests of the candidate/),
    });
    expect(judged([], { afterMinutes: 240 }).verdict).toBe('inconclusive');
  });

  test('traffic stopped and the canary advanced', () => {
    const given = minutes(50, (index) => minute(index, arm(20)));
    expect(judged(given, { afterMinutes: 200 })).toMatchObject({ verdict: 'pause', minutes: 50 });
    const empty = Array.from({ length: 150 }, (_, index) => minute(50 + index, arm(0), arm(0), arm(0)));
    expect(judged([...given, ...empty])).toMatchObject({ verdict: 'pause', minutes: 50 });
    // It goes on where it stopped, for as many minutes as are missing.
    const again = Array.from({ length: 10 }, (_, index) => minute(200 + index, arm(20)));
    expect(judged([...given, ...empty, ...again])).toMatchObject({ verdict: 'finish', minutes: 60 });
    const candidateAway = Array.from({ length: 100 }, (_, index) => minute(50 + index, arm(0)));
    expect(judged([...given, ...candidateAway])).toMatchObject({ verdict: 'pause', minutes: 59 });
  });

  test('near-zero traffic aborted', () => {
    for (const errors of [1, 2])
      expect(judged([minute(0, arm(errors, errors), arm(1), arm(8))]).verdict, `${errors}`).toBe('continue');
    // One request in ten minutes, of which every tenth fails in both arms.
    const given = minutes(230, (index) =>
      minute(
        index,
        arm(index % 10 === 0 ? 1 : 0, index % 100 === 0 ? 1 : 0),
        arm(0),
        arm(index % 10 === 5 ? 9 : 0, index % 10 === 5 ? 1 : 0),
      ),
    );
    expect(judged(given, { hasLatencyObjective: false }).verdict).toBe('continue');
  });

  test('NaN or zero baseline never failed', () => {
    const noBaseline = minutes(60, (index) => minute(index, arm(10, index % 4 === 0 ? 2 : 0)));
    expect(judged(noBaseline).verdict).toBe('abort');
    // Nothing to compare with is no reason to go on either.
    const noChampion = minutes(60, (index) => minute(index, arm(10, 5), arm(0), arm(0)));
    expect(judged(noChampion)).toMatchObject({ verdict: 'pause', minutes: 0 });
    const strange = minutes(60, (index) => minute(index, arm(10, 5), arm(10, Number.NaN), arm(80)));
    expect(judged(strange)).toMatchObject({ verdict: 'pause', minutes: 0, unusable: 60 });
  });

  test('warm-up looked like a regression', () => {
    const random = mulberry32(11);
    let [aborted, againstChampion] = [0, 0];
    for (let run = 0; run < 50; run += 1) {
      const drawn = (slow: number) => (requests: number) => drawnArm(requests, 0.001, slow, random);
      const [young, old] = [drawn(0.05), drawn(0.01)];
      const given = minutes(60, (index) => minute(index, young(20), young(20), old(160)));
      if (judged(given).verdict === 'abort') aborted += 1;
      // The same candidate beside a champion that has long been warm.
      const warm = given.map((each) => ({ ...each, control: drawn(0.01)(20) }));
      if (judged(warm).verdict === 'abort') againstChampion += 1;
    }
    expect(aborted).toBeLessThanOrEqual(1);
    expect(againstChampion).toBeGreaterThan(25);
  });

  test('affinity drifted the share', () => {
    const random = mulberry32(5);
    let aborted = 0;
    for (let run = 0; run < 50; run += 1) {
      // The entities of a salt send between 4 and 18 % of the requests, and more of them as the day goes on.
      const share = 0.04 + 0.14 * random();
      const given = minutes(60, (index) => {
        const requests = drawBinomial(200, share * (0.5 + index / 60), random);
        return minute(
          index,
          drawnArm(requests, 0.02, 0, random),
          drawnArm(20, 0.02, 0, random),
          drawnArm(180 - requests, 0.02, 0, random),
        );
      });
      if (judged(given).verdict === 'abort') aborted += 1;
    }
    expect(aborted).toBeLessThanOrEqual(1);
  });

  test('failed checks beyond the limit without an end', () => {
    const bad = minutes(300, (index) => minute(index, arm(10, 2), arm(10, 1), arm(80, 4)));
    const { verdict, decidedAt } = judged(bad);
    expect(verdict).toBe('abort');
    for (const afterMinutes of [100, 300, 10_000])
      expect(judged(bad, { afterMinutes })).toMatchObject({ verdict: 'abort', decidedAt });
    // And one that can never be judged ends as well.
    expect(judged([minute(0, arm(1, 2))], { afterMinutes: 240 })).toMatchObject({
      verdict: 'inconclusive',
      unusable: 1,
    });
  });
});
