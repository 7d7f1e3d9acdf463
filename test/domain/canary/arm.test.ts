import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armOf, saltFor } from '#domain/canary/arm.ts';

describe('the arm of an event', () => {
  it('is the same for a retry, and stays where the share grows', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.double({ min: 0.01, max: 0.25, noNaN: true }), (key, salt, share) => {
        const arm = armOf(key, { salt, share });
        expect(armOf(key, { salt, share })).toBe(arm);
        if (arm === 'candidate') expect(armOf(key, { salt, share: 2 * share })).toBe('candidate');
      }),
    );
  });

  it('is the candidate’s and the control arm’s in the planned share, and another salt chooses others', () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => `event-${index}`);
    const arms = ids.map((id) => armOf(id, { salt: 'plan-1', share: 0.1 }));
    const share = (arm: string) => arms.filter((each) => each === arm).length / ids.length;
    expect(share('candidate')).toBeCloseTo(0.1, 2);
    expect(share('control')).toBeCloseTo(0.1, 2);
    const again = ids.filter(
      (id, index) => arms[index] === 'candidate' && armOf(id, { salt: 'plan-2', share: 0.1 }) === 'candidate',
    );
    expect(again.length / ids.length).toBeCloseTo(0.01, 2);
    expect(ids.some((id) => armOf(id, { salt: 'x', share: 0.5 }) === 'champion')).toBe(false);
  });
});

describe('the salt of entities', () => {
  it('is the one by which the share of the requests is right', () => {
    // A few entities send most of the requests.
    const requests = new Map(
      Array.from({ length: 300 }, (_, index) => [`customer-${index}`, Math.ceil(3000 / (index + 1))]),
    );
    const salts = Array.from({ length: 100 }, (_, index) => `salt-${index}`) as [string, ...string[]];
    const { salt, candidate, control } = saltFor(requests, 0.1, salts);
    const miss = (of: { candidate: number; control: number }) =>
      Math.max(Math.abs(of.candidate - 0.1), Math.abs(of.control - 0.1));
    const misses = salts.map((each) => miss(saltFor(requests, 0.1, [each])));
    expect(miss({ candidate, control })).toBe(Math.min(...misses));
    expect(Math.max(...misses)).toBeGreaterThan(5 * Math.min(...misses));
    const total = [...requests.values()].reduce((sum, count) => sum + count, 0);
    const own = [...requests].filter(([entity]) => armOf(entity, { salt, share: 0.1 }) === 'candidate');
    expect(own.reduce((sum, [, count]) => sum + count, 0) / total).toBeCloseTo(candidate, 12);
  });

  it('is the first one where there are no requests', () => {
    expect(saltFor(new Map(), 0.1, ['a', 'b'])).toEqual({ salt: 'a', candidate: 0, control: 0 });
  });
});
