import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import {
  advancePointer,
  confirmedReleases,
  divideTraffic,
  type Pointer,
  pointerWrite,
  REMEMBERED,
} from '#domain/promotion/pointer.ts';
import { rollBack, rollbackTarget } from '#domain/promotion/rollback.ts';
import { MODEL, NOW } from './_case.ts';

const RELEASES = Array.from({ length: 14 }, (_, index) => ({ release: digestOf(`${index}`), version: `1.0.${index}` }));

/** The pointer after a release was promoted, as a commit writes it. */
function letIn(pointer: Pointer | undefined, { release, version }: (typeof RELEASES)[number]): Pointer {
  const next = { model: MODEL, environment: 'prod', current: release, version, fencingToken: 1, writtenBy: 'p' };
  return advancePointer(
    pointer,
    { ...next, at: NOW.toISOString() },
    confirmedReleases(pointer).filter((each) => each.release !== release),
    { until: null, pendingPropagation: null, latency: null },
  );
}

it('knows distinct releases to go back to, none of them its own or ever rolled back, the newest first', () => {
  const act = fc.oneof(fc.constant('back' as const), fc.nat({ max: RELEASES.length - 1 }));
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      let pointer: Pointer | undefined;
      const takenBack = new Set<string>();
      // What was promoted, the newest last: what a reader of the whole history would go back to.
      let history: string[] = [];
      for (const each of acts) {
        if (each === 'back') {
          const target = rollbackTarget(pointer, (release) => takenBack.has(release));
          if (pointer === undefined || target.kind === 'refuse') continue;
          takenBack.add(pointer.current);
          history = history.filter((release) => release !== pointer?.current);
          expect(target.release).toBe(history.at(-1));
          pointer = rollBack(pointer, target, { id: 'r', actor: 'person:op', reason: 'wrong', now: NOW }).pointer;
        } else {
          const chosen = RELEASES[each];
          if (chosen === undefined || takenBack.has(chosen.release) || pointer?.current === chosen.release) continue;
          pointer = letIn(pointer, chosen);
          history = [...history.filter((release) => release !== chosen.release), chosen.release];
        }
        const known = confirmedReleases(pointer).map(({ release }) => release);
        expect(known[0]).toBe(pointer.current);
        expect(new Set(known).size).toBe(known.length);
        expect(known.length).toBeLessThanOrEqual(2 + REMEMBERED);
        expect(known.filter((release) => takenBack.has(release))).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});

const PLAN = {
  kind: 'canary',
  promotion: 'p-2',
  version: '1.0.0',
  assignment: 'event',
  salt: 's',
  armMs: 2000,
  startedAt: NOW.toISOString(),
  until: NOW.toISOString(),
} as const;

it('keeps its epoch, and whatever batch runs and reviews rest on, while only its traffic changes', () => {
  const [champion, other] = RELEASES;
  if (champion === undefined || other === undefined) throw new Error('no releases');
  const before = letIn(letIn(undefined, other), champion);
  const arms = [
    { arm: 'champion', release: champion.release, share: 0.8 },
    { arm: 'candidate', release: other.release, share: 0.1 },
    { arm: 'control', release: champion.release, share: 0.1 },
  ] satisfies Pointer['traffic']['arms'];
  const plan = { ...PLAN, candidate: other.release };
  const after = divideTraffic(before, { arms, plan }, { fencingToken: 2, writtenBy: 'canary' });
  const { seq, traffic, fencingToken, writtenBy, ...same } = after;
  expect({ seq, traffic, fencingToken, writtenBy }).toEqual({
    seq: before.seq + 1,
    traffic: { planSeq: before.traffic.planSeq + 1, arms, plan },
    fencingToken: 2,
    writtenBy: 'canary',
  });
  expect(before).toMatchObject(same);
  // What a batch run holds against the pointer before it publishes.
  expect({ epoch: after.epoch, current: after.current }).toEqual({ epoch: before.epoch, current: before.current });
  const next = letIn(after, other);
  expect(next.epoch).toBe(before.epoch + 1);
  expect(next.traffic).toEqual({
    planSeq: after.traffic.planSeq + 1,
    arms: [{ arm: 'champion', release: other.release, share: 1 }],
  });
});

const [A, B, C] = RELEASES.map(({ release }) => release);

it.each<[string, Partial<Record<'champion' | 'candidate' | 'control', [number, number]>>]>([
  ['without the champion', { candidate: [1, 1] }],
  ['with a candidate that is served already', { champion: [0, 0.5], candidate: [0, 0.5] }],
  ['with a control arm that is not served', { champion: [0, 0.8], candidate: [1, 0.1], control: [1, 0.1] }],
  ['with another candidate than the plan’s', { champion: [0, 0.5], candidate: [2, 0.5] }],
  ['with an arm that gets nothing', { champion: [0, 1], candidate: [1, 0] }],
  ['with a share that is no number', { champion: [0, Number.NaN] }],
  ['with more or less than all', { champion: [0, 0.5], candidate: [1, 0.4] }],
])('divides no traffic %s', (_, divided) => {
  const [champion] = RELEASES;
  if (champion === undefined || A === undefined || B === undefined || C === undefined) throw new Error('no releases');
  const arms = Object.entries(divided).map(([arm, [release, share]]) => ({
    arm: arm as 'champion',
    release: [A, B, C][release] ?? A,
    share,
  }));
  const by = { fencingToken: 2, writtenBy: 'canary' };
  const before = letIn(undefined, champion);
  const plan = { ...PLAN, candidate: B };
  const bad = expect.objectContaining({ code: 'BAD_TRAFFIC' });
  expect(() => divideTraffic(before, { arms, plan }, by)).toThrow(bad);
  // Nor does whoever makes such a pointer by other means write it.
  const next = { ...before, traffic: { planSeq: 2, arms, plan }, seq: 2 };
  expect(() => pointerWrite(before, next)).toThrow(bad);
  expect(() => pointerWrite(undefined, next)).toThrow(bad);
});

it('divides traffic neither twice into one arm nor without a plan', () => {
  const [champion, other] = RELEASES;
  if (champion === undefined || other === undefined) throw new Error('no releases');
  const before = letIn(undefined, champion);
  const by = { fencingToken: 2, writtenBy: 'canary' };
  const half = { arm: 'champion', release: champion.release, share: 0.5 } as const;
  const bad = expect.objectContaining({ code: 'BAD_TRAFFIC' });
  expect(() => divideTraffic(before, { arms: [half, half], plan: { ...PLAN, candidate: other.release } }, by)).toThrow(
    bad,
  );
  expect(() =>
    divideTraffic(before, { arms: [half, { arm: 'candidate', release: other.release, share: 0.5 }] }, by),
  ).toThrow(bad);
});

describe('a pointer is written over the one that it follows', () => {
  const [first, second] = RELEASES;
  if (first === undefined || second === undefined) throw new Error('no releases');
  const before = letIn(undefined, first);
  const arms = [
    { arm: 'champion', release: first.release, share: 0.9 },
    { arm: 'candidate', release: second.release, share: 0.1 },
  ] satisfies Pointer['traffic']['arms'];
  const plan = { ...PLAN, candidate: second.release };
  const divided = divideTraffic(before, { arms, plan }, { fencingToken: 1, writtenBy: 'canary' });
  const promoted = letIn(before, second);

  it('when it is promoted, divided, confirmed or rolled back', () => {
    const trial = { ...promoted, status: 'probation', until: NOW.toISOString() } as const;
    const confirmed = { ...trial, status: 'confirmed', until: null, seq: trial.seq + 1 } as const;
    const back = rollBack(promoted, first, { id: 'r', actor: 'person:op', reason: 'wrong', now: NOW }).pointer;
    const pairs: (readonly [Pointer | undefined, Pointer])[] = [
      [undefined, before],
      [before, divided],
      [before, promoted],
      [divided, letIn(divided, second)],
      [trial, confirmed],
      [promoted, back],
    ];
    for (const [previous, next] of pairs) expect(pointerWrite(previous, next)).toMatchObject({ kind: 'put' });
  });

  it.each<[string, Pointer, string]>([
    ['whose epoch stays, although the champion is another', { ...promoted, epoch: 1 }, 'its epoch is 1, not 2'],
    ['whose epoch grows by two', { ...promoted, epoch: 3 }, 'its epoch is 3, not 2'],
    ['whose epoch grows with its traffic', { ...divided, epoch: 2 }, 'its epoch is 2, not 1'],
    [
      'whose plan stays, although traffic is divided',
      { ...divided, traffic: { planSeq: 1, arms, plan } },
      'its planSeq is 1',
    ],
    [
      'whose plan grows with nothing',
      { ...before, seq: 2, traffic: { ...before.traffic, planSeq: 2 } },
      'planSeq is 2',
    ],
    ['whose number stays', { ...promoted, seq: 1 }, 'its seq is 1, not 2'],
    ['of another model', { ...promoted, model: 'other' }, 'it is of prod/other'],
  ])('and not one %s', (_, next, found) => {
    expect(() => pointerWrite(before, next)).toThrow(
      expect.objectContaining({ code: 'BAD_POINTER', message: expect.stringContaining(found) as string }),
    );
  });
});
