import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulberry32 } from '#domain/statistics/bootstrap.ts';
import { arm, drawnArm, judged, minute, minuteAt, minutes, RULE } from './_canary.ts';

describe('a canary', () => {
  it('finishes without any error, after its hours', () => {
    const given = minutes(60, (index) => minute(index, arm(10)));
    expect(judged(given.slice(0, 59))).toMatchObject({ verdict: 'continue', minutes: 59, decidedAt: null });
    expect(judged(given)).toMatchObject({
      verdict: 'finish',
      decidedAt: minuteAt(60),
      counts: { candidate: { requests: 600 } },
      realisedShare: { least: 0.1, greatest: 0.1 },
      unusable: 0,
    });
  });

  it('does not finish before there is enough evidence, and ends INCONCLUSIVE without it', () => {
    const given = minutes(240, (index) => minute(index, arm(1), arm(1), arm(8)));
    expect(judged(given.slice(0, 200))).toMatchObject({ verdict: 'continue', minutes: 200 });
    expect(judged(given)).toMatchObject({ verdict: 'inconclusive', decidedAt: minuteAt(240) });
  });

  it('aborts a candidate that fails, in the minute in which it is proven, whoever looks later', () => {
    const given = minutes(60, (index) => minute(index, arm(10, index >= 5 ? 2 : 0)));
    const at = judged(given);
    expect(at.verdict).toBe('abort');
    expect(at.found).toMatch(/^more errors than the champion: \d+ errors in \d+ requests/);
    expect(judged(given, { afterMinutes: 10_000 })).toEqual(at);
    expect(Date.parse(at.decidedAt ?? '')).toBeLessThan(Date.parse(minuteAt(15)));
  });

  it('aborts by answers above the latency objective, compared with the control arm', () => {
    const given = minutes(60, (index) => minute(index, arm(10, 0, 4), arm(10, 0, 1)));
    expect(judged(given)).toMatchObject({ verdict: 'abort', found: expect.stringMatching(/latency objective/) });
    expect(judged(given, { hasLatencyObjective: false })).toMatchObject({
      verdict: 'finish',
      eValues: { latency: null },
    });
  });

  it('needs more of one metric where there are two', () => {
    const given = minutes(60, (index) => minute(index, arm(10, index % 3 === 0 ? 1 : 0)));
    const [one, two] = [false, true].map((hasLatencyObjective) => judged(given, { hasLatencyObjective }));
    expect([one?.verdict, two?.verdict]).toEqual(['abort', 'abort']);
    expect(Date.parse(one?.decidedAt ?? '')).toBeLessThanOrEqual(Date.parse(two?.decidedAt ?? ''));
    expect(one?.eValues.regression).toBe(one?.eValues.errors);
    expect(two?.eValues.errors).toBeGreaterThanOrEqual(199);
  });

  it('is judged alike by minutes in any order, twice, or with an open one', () => {
    const random = mulberry32(3);
    const given = minutes(70, (index) =>
      minute(
        index,
        drawnArm(10, 0.02, 0.05, random),
        drawnArm(10, 0.02, 0.05, random),
        drawnArm(80, 0.02, 0.05, random),
      ),
    );
    const expected = judged(given.slice(0, 50));
    expect(judged([...given.slice(0, 50).toReversed(), ...given.slice(0, 20)], { afterMinutes: 50 })).toEqual(expected);
    expect(judged(given, { afterMinutes: 50 })).toEqual(expected);
    expect(judged([{ ...given[0], minute: minuteAt(-1) }, ...given.slice(0, 50)], { afterMinutes: 50 })).toEqual(
      expected,
    );
  });

  it.each([
    ['more errors than requests', arm(1, 2)],
    ['a number that is none', arm(Number.NaN)],
    ['half a request', arm(0.5)],
    ['fewer than none', arm(10, -1)],
    ['more late answers than requests', arm(10, 0, 0, 11)],
    ['requests that were late and failed', arm(10, 5, 0, 6)],
  ])('leaves out minutes with %s, and does not finish by them', (_, strange) => {
    const given = minutes(60, (index) => minute(index, index >= 30 ? strange : arm(20)));
    expect(judged(given)).toMatchObject({ verdict: 'pause', unusable: 30, minutes: 30 });
  });

  it('is aborted by the first error where the policy says no errors, and left alone by those that the champion has as well', () => {
    const rule = { noErrors: true };
    const failing = (champion: number) =>
      minutes(60, (index) =>
        minute(index, arm(10, index === 20 ? 1 : 0), arm(10), arm(80, index === 20 ? champion : 0)),
      );
    expect(judged(failing(0), { rule })).toMatchObject({ verdict: 'abort', decidedAt: minuteAt(21) });
    expect(judged(failing(0))).toMatchObject({ verdict: 'continue' });
    expect(judged(failing(3), { rule })).toMatchObject({ verdict: 'continue', minutes: 59 });
    // Whether the champion has them as well is not known of a minute without its data.
    const unknown = failing(0).map((each, index) => (index === 20 ? { ...each, champion: null } : each));
    expect(judged(unknown, { rule })).toMatchObject({ verdict: 'continue', minutes: 59 });
  });

  it('is not decided by an outage that both arms have', () => {
    const outage = (index: number, requests: number) => arm(requests, index >= 20 && index < 30 ? requests : 0);
    const given = minutes(60, (index) => minute(index, outage(index, 50), outage(index, 50), outage(index, 400)));
    const { verdict, eValues } = judged(given);
    expect(verdict).toBe('continue');
    expect(eValues.regression).toBe(1);
    // And a regression after it is found as if it had not been.
    const worse = minutes(
      60,
      (index) => (index < 40 ? given[index] : minute(index, arm(50, 5), arm(50, 1), arm(400, 8))) ?? given[0]!,
    );
    expect(judged(worse).verdict).toBe('abort');
  });

  it('is compared with the control arm where the arms themselves fail more than the champion', () => {
    const given = minutes(240, (index) => minute(index, arm(50, 2), arm(50, 2), arm(400, 8)));
    const { verdict, eValues } = judged(given);
    expect(verdict).not.toBe('abort');
    expect(eValues.errors).toBeLessThan(100);
    // Of the champion alone, the same counts are a regression.
    const alone = minutes(240, (index) => minute(index, arm(50, 2), arm(50, 1), arm(400, 8)));
    expect(judged(alone).verdict).toBe('abort');
  });

  it('does not finish where it answered nothing itself, in time: the champion did', () => {
    const late = arm(10, 0, 10, 10);
    for (const control of [late, arm(10)]) {
      const given = minutes(60, (index) => minute(index, late, control));
      // Without an objective an arm that is late is not even slow.
      const plain = minutes(60, (index) => minute(index, arm(10, 0, 0, 10), control));
      for (const [list, hasLatencyObjective] of [
        [given, true],
        [plain, false],
      ] as const)
        expect(judged(list, { hasLatencyObjective })).toMatchObject({
          minutes: 0,
          eValues: { errors: expect.closeTo(1), notBad: expect.closeTo(1) },
        });
      expect(judged(plain, { hasLatencyObjective: false })).toMatchObject({
        verdict: 'pause',
        found: 'the candidate was late for every request for more than 10 minutes',
      });
      expect(judged(plain, { hasLatencyObjective: false, afterMinutes: 240 }).verdict).toBe('inconclusive');
    }
    const both = minutes(60, (index) => minute(index, late, late));
    expect(judged(both).verdict).toBe('pause');
    expect(judged(both, { afterMinutes: 240 })).toMatchObject({
      verdict: 'inconclusive',
      found: expect.stringMatching(/; late 600, the control arm 600$/),
    });
    expect(judged(minutes(60, (index) => minute(index, late)))).toMatchObject({
      verdict: 'abort',
      found: expect.stringMatching(/^more answers above the latency objective/),
    });
  });

  it('counts no minute while the control arm answers nothing itself, where latency is compared with it', () => {
    const given = minutes(60, (index) => minute(index, arm(10), arm(10, 0, 0, 10)));
    expect(judged(given)).toMatchObject({
      verdict: 'pause',
      minutes: 0,
      found: expect.stringMatching(/^the control arm/),
    });
    expect(judged(given, { hasLatencyObjective: false })).toMatchObject({ verdict: 'finish', minutes: 60 });
  });

  it('is proven by what it answered itself, and counts on for as long as an arm that is late may be stale', () => {
    const given = minutes(60, (index) => minute(index, index % 10 === 0 ? arm(10) : arm(10, 0, 0, 10)));
    expect(judged(given, { hasLatencyObjective: false })).toMatchObject({ verdict: 'continue', minutes: 60 });
    // Of 600 requests it answered 60: as much proof as 60 requests are.
    const few = minutes(60, (index) => minute(index, arm(index % 10 === 0 ? 10 : 0)));
    const [late, none] = [given, few].map((list) => judged(list, { hasLatencyObjective: false }).eValues);
    expect(late).toEqual(none);
  });

  it('does not pause for minutes that are not closed yet', () => {
    const given = minutes(40, (index) => minute(index, arm(10)));
    const rule = { staleMinutes: 2, closeMinutes: 2 };
    // A look comes some time after the count.
    for (const afterMinutes of [42, 45, 57])
      expect(judged(given, { rule, afterMinutes, closedMinutes: 40 }).verdict).toBe('continue');
    const silent = [...given, ...Array.from({ length: 3 }, (_, index) => minute(40 + index, arm(0)))];
    expect(judged(silent, { rule, afterMinutes: 45, closedMinutes: 43 })).toMatchObject({
      verdict: 'pause',
      found: 'no requests of the candidate for more than 2 minutes',
    });
    expect(judged([], { rule, afterMinutes: 3, closedMinutes: -1 }).verdict).toBe('continue');
  });

  it('pauses where the log is not counted any more', () => {
    const given = minutes(40, (index) => minute(index, arm(10)));
    const rule = { staleMinutes: 2, closeMinutes: 2 };
    expect(judged(given, { rule, afterMinutes: 64, closedMinutes: 40 }).verdict).toBe('continue');
    expect(judged(given, { rule, afterMinutes: 65, closedMinutes: 40 })).toMatchObject({
      verdict: 'pause',
      found: `the request log was not counted since ${minuteAt(40)}`,
    });
    expect(judged(given, { rule, afterMinutes: 240, closedMinutes: 40 }).verdict).toBe('inconclusive');
  });

  it('is judged by no minute that was not closed', () => {
    const given = minutes(60, (index) => minute(index, arm(10)));
    expect(judged(given, { afterMinutes: 70, closedMinutes: 59 })).toMatchObject({ verdict: 'continue', minutes: 59 });
  });

  it('always has ended by its deadline', () => {
    const anyArm = fc.option(
      fc
        .nat(40)
        .chain((requests) =>
          fc
            .record({ requests: fc.constant(requests), errors: fc.nat(requests), slow: fc.nat(requests) })
            .chain((counts) => fc.nat(requests - counts.errors).map((late) => ({ ...counts, late }))),
        ),
    );
    const anyMinute = fc.record({ index: fc.nat(400), candidate: anyArm, control: anyArm, champion: anyArm });
    fc.assert(
      fc.property(fc.array(anyMinute, { maxLength: 40 }), fc.boolean(), (given, noErrors) => {
        const list = given.map(({ index, candidate, control, champion }) =>
          minute(index, candidate, control, champion),
        );
        const { verdict, decidedAt } = judged(list, { afterMinutes: RULE.deadlineHours * 60, rule: { noErrors } });
        expect(['abort', 'finish', 'inconclusive']).toContain(verdict);
        expect(decidedAt).not.toBeNull();
        const before = judged(list, { afterMinutes: 200, rule: { noErrors } });
        // What has ended stays as it is.
        if (before.decidedAt !== null)
          expect(judged(list, { afterMinutes: 400, rule: { noErrors } }).verdict).toBe(before.verdict);
      }),
      { numRuns: 60 },
    );
  });
});
