import { describe, expect, it } from 'vitest';
import { differencesOf } from '#domain/policy/differences.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { policy } from '#test/use-cases/_environments.ts';

const { transitions, comparison } = policy;
const changed = (change: Partial<Policy>): Policy => ({ ...policy, ...change });

describe('the differences of two policies', () => {
  it('are none where they say the same', () => {
    expect(differencesOf(policy, structuredClone(policy))).toEqual([]);
  });

  it.each<[string, Policy, string, string | null, string | null, string]>([
    [
      'a tighter number',
      changed({ comparison: { ...comparison, minimumDays: 10 } }),
      'comparison.minimumDays',
      '7',
      '10',
      'not looser',
    ],
    [
      'a looser number',
      changed({ comparison: { ...comparison, minimumDays: 5 } }),
      'comparison.minimumDays',
      '7',
      '5',
      'looser',
    ],
    [
      'fewer people',
      changed({ activation: [{ role: 'risk', count: 2 }] }),
      'activation',
      '1 of platform, 1 of risk',
      '2 of risk',
      'looser',
    ],
    [
      'a gate less',
      changed({ transitions: { ...transitions, staging: { ...transitions.staging, gates: ['release-integrity'] } } }),
      'transitions.staging.gates',
      'released-upstream, release-integrity, metric-baseline, better-than-champion',
      'release-integrity',
      'looser',
    ],
    [
      'what was not allowed',
      changed({ comparison: { ...comparison, provisional: { minimumImprovement: 0.001, tolerance: 0.02 } } }),
      'comparison.provisional.tolerance',
      null,
      '0.02',
      'looser',
    ],
    [
      'how a first release comes in',
      changed({ transitions: { ...transitions, initial: { ...transitions.initial, evidenceValidHours: 80 } } }),
      'transitions.initial.evidenceValidHours',
      '72',
      '80',
      'may be looser',
    ],
  ])('name %s', (_, after, path, before, then, direction) => {
    expect(differencesOf(policy, after)).toContainEqual({ path, before, after: then, direction });
  });
});
