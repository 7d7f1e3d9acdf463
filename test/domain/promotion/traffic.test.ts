import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armAmong, armOf } from '#domain/canary/arm.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { type Pointer, Pointer as PointerSchema, type TrafficPlan } from '#domain/promotion/pointer.ts';
import { assignedArm, planInForce, releaseOf } from '#domain/promotion/traffic.ts';

const [CHAMPION, CANDIDATE] = [digestOf('champion'), digestOf('candidate')];
const UNTIL = '2026-03-03T08:00:00.000Z';
const BEFORE = new Date('2026-03-03T07:59:59.999Z');

function pointer(change: Partial<TrafficPlan> = {}, share = 0.2): Pointer {
  const plan: TrafficPlan = {
    kind: 'canary',
    promotion: 'p1',
    candidate: CANDIDATE,
    version: '0.2.0',
    assignment: 'event',
    salt: 'salt',
    armMs: 500,
    startedAt: '2026-03-02T08:00:00.000Z',
    until: UNTIL,
    ...change,
  };
  const arms = [
    { arm: 'champion', release: CHAMPION, share: 1 - 2 * share },
    { arm: 'candidate', release: CANDIDATE, share },
    { arm: 'control', release: CHAMPION, share },
  ];
  return PointerSchema.parse({
    formatVersion: 1,
    model: 'toy',
    environment: 'prod',
    current: CHAMPION,
    version: '0.1.0',
    status: 'confirmed',
    lastConfirmed: null,
    traffic: { planSeq: 2, arms, plan },
    seq: 2,
    epoch: 1,
    fencingToken: 1,
    writtenBy: 'test',
    at: '2026-03-01T08:00:00.000Z',
  });
}

describe('a plan of traffic', () => {
  it('is in force before its time has passed, and never from then on', () => {
    expect(planInForce(pointer(), BEFORE)?.promotion).toBe('p1');
    expect(planInForce(pointer(), new Date(UNTIL))).toBeUndefined();
    expect(planInForce({ traffic: { planSeq: 1, arms: [] } }, BEFORE)).toBeUndefined();
  });

  it('names the candidate’s release and the champion’s for the control arm, while it divides', () => {
    expect(releaseOf(pointer(), 'candidate', BEFORE)).toEqual({
      arm: 'candidate',
      release: CANDIDATE,
      version: '0.2.0',
    });
    expect(releaseOf(pointer(), 'control', BEFORE)).toEqual({ arm: 'control', release: CHAMPION, version: '0.1.0' });
    for (const [of, at] of [
      [pointer(), new Date(UNTIL)],
      [pointer({ kind: 'blue-green' }), BEFORE],
    ] as const) {
      expect(releaseOf(of, 'candidate', at)).toBeUndefined();
      expect(releaseOf(of, 'control', at)).toBeUndefined();
    }
    const { traffic, ...rest } = pointer();
    const two = { ...rest, traffic: { ...traffic, arms: traffic.arms.filter(({ arm }) => arm !== 'control') } };
    expect(releaseOf(two, 'control', BEFORE)).toBeUndefined();
  });
});

describe('the arm of a request', () => {
  const ids = Array.from({ length: 4000 }, (_, index) => `event-${index}`);
  const arms = (of: Pointer, at = BEFORE) => ids.map((event) => assignedArm(of, { event, entity: null }, at));

  it('is each arm’s in its share, the champion’s after the plan’s time, and of no other kind of plan', () => {
    const found = arms(pointer());
    for (const arm of ['candidate', 'control'])
      expect(found.filter((each) => each === arm).length / ids.length).toBeCloseTo(0.2, 1);
    expect(arms(pointer({ kind: 'ab' }))).toEqual(found);
    expect(new Set(arms(pointer(), new Date(UNTIL)))).toEqual(new Set(['champion']));
    expect(new Set(arms(pointer({ kind: 'blue-green' })))).toEqual(new Set(['champion']));
  });

  it('is by entity where the plan says so, and by event where there is none', () => {
    const of = pointer({ assignment: 'entity' });
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (event, other, entity) => {
        const arm = assignedArm(of, { event, entity }, BEFORE);
        expect(assignedArm(of, { event: other, entity }, BEFORE)).toBe(arm);
        expect(assignedArm(pointer(), { event: entity, entity: other }, BEFORE)).toBe(arm);
        expect(assignedArm(of, { event: entity, entity: null }, BEFORE)).toBe(arm);
      }),
    );
  });

  it('is that of equal shares where they are equal, and the champion’s for whoever no other arm takes', () => {
    for (const id of ids.slice(0, 500)) {
      const equal = armOf(id, { salt: 's', share: 0.3 });
      const shares = (candidate: number, control: number) => [
        { arm: 'control' as const, share: control },
        { arm: 'champion' as const, share: 1 - candidate - control },
        { arm: 'candidate' as const, share: candidate },
      ];
      expect(armAmong(id, 's', shares(0.3, 0.3))).toBe(equal);
      expect(armAmong(id, 's', [])).toBe('champion');
      // An arm's requests stay its own while its share grows.
      if (equal === 'candidate') expect(armAmong(id, 's', shares(0.8, 0.2))).toBe('candidate');
    }
  });
});
