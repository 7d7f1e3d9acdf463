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

it('keeps its epoch, and whatever batch runs and reviews rest on, while only its traffic changes', () => {
  const [champion, other] = RELEASES;
  if (champion === undefined || other === undefined) throw new Error('no releases');
  const before = letIn(letIn(undefined, other), champion);
  const arms = [
    { release: champion.release, share: 0.9 },
    { release: other.release, share: 0.1 },
  ];
  const after = divideTraffic(before, arms, { fencingToken: 2, writtenBy: 'canary' });
  const { seq, traffic, fencingToken, writtenBy, ...same } = after;
  expect({ seq, traffic, fencingToken, writtenBy }).toEqual({
    seq: before.seq + 1,
    traffic: { planSeq: before.traffic.planSeq + 1, arms },
    fencingToken: 2,
    writtenBy: 'canary',
  });
  expect(before).toMatchObject(same);
  // What a batch run holds against the pointer before it publishes.
  expect({ epoch: after.epoch, current: after.current }).toEqual({ epoch: before.epoch, current: before.current });
  const next = letIn(after, other);
  expect(next.epoch).toBe(before.epoch + 1);
  expect(next.traffic).toEqual({ planSeq: after.traffic.planSeq + 1, arms: [{ release: other.release, share: 1 }] });
});

it.each([
  ['without the champion', [{ release: 1, share: 1 }]],
  [
    'with an arm twice',
    [
      { release: 0, share: 0.5 },
      { release: 0, share: 0.5 },
    ],
  ],
  [
    'with an arm that gets nothing',
    [
      { release: 0, share: 1 },
      { release: 1, share: 0 },
    ],
  ],
  ['with a share that is no number', [{ release: 0, share: Number.NaN }]],
  [
    'with more or less than all',
    [
      { release: 0, share: 0.5 },
      { release: 1, share: 0.4 },
    ],
  ],
])('divides no traffic %s', (_, arms) => {
  const [champion] = RELEASES;
  if (champion === undefined) throw new Error('no releases');
  const named = arms.map(({ release, share }) => ({ release: RELEASES[release]?.release ?? champion.release, share }));
  const by = { fencingToken: 2, writtenBy: 'canary' };
  const before = letIn(undefined, champion);
  const bad = expect.objectContaining({ code: 'BAD_TRAFFIC' });
  expect(() => divideTraffic(before, named, by)).toThrow(bad);
  // Nor does whoever makes such a pointer by other means write it.
  const next = { ...before, traffic: { planSeq: 2, arms: named }, seq: 2 };
  expect(() => pointerWrite(before, next)).toThrow(bad);
  expect(() => pointerWrite(undefined, next)).toThrow(bad);
});

describe('a pointer is written over the one that it follows', () => {
  const [first, second] = RELEASES;
  if (first === undefined || second === undefined) throw new Error('no releases');
  const before = letIn(undefined, first);
  const arms = [
    { release: first.release, share: 0.9 },
    { release: second.release, share: 0.1 },
  ];
  const divided = divideTraffic(before, arms, { fencingToken: 1, writtenBy: 'canary' });
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
      { ...divided, traffic: { planSeq: 1, arms } },
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
