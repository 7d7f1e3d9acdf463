import { describe, expect, it } from 'vitest';
import type { CanaryRule } from '#domain/policy/canary.ts';
import { askedFor } from '#domain/policy/canary.ts';
import { tighten } from '#domain/policy/tighten.ts';
import type { PolicyTightening } from '#domain/policy/tightening.ts';
import governance from '../../../governance/policy.ts';

type Own = NonNullable<NonNullable<PolicyTightening['transitions']>['prod']>['canary'];
const tightened = (canary: Own, floor = governance) =>
  tighten('m', floor, { transitions: { prod: { ...(canary && { canary }) } } }).transitions.prod.canary;
const rule = (): CanaryRule => {
  const { canary } = governance.transitions.prod;
  if (canary === undefined) throw new Error('the floor has no canary');
  return canary;
};

describe('a model’s canary', () => {
  it('is the floor’s, where the model says nothing', () => {
    expect(tightened(undefined)).toEqual(rule());
  });

  it.each<[string, Own]>([
    ['a smaller share', { share: 0.05 }],
    ['more hours', { hours: 36 }],
    ['fewer errors', { toleratedErrorRate: 0.005 }],
    ['no errors', { noErrors: true }],
    ['a shorter time for an arm', { armMs: 500 }],
    ['a sooner pause', { staleMinutes: 5 }],
    ['more power', { power: 0.95 }],
    ['more pairs', { shadow: { minimumPairs: 1000 } }],
    ['decisions that count', { shadow: { decisions: true } }],
    ['more people', { shadowOnly: [{ role: 'risk', count: 2 }] }],
  ])('may have %s', (_, own) => {
    const { shadow, ...rest } = own ?? {};
    expect(tightened(own)).toMatchObject({ ...rest, ...(shadow && { shadow }) });
  });

  it.each<[string, Own]>([
    ['share', { share: 0.2 }],
    ['hours', { hours: 1 }],
    ['toleratedErrorRate', { toleratedErrorRate: 0.05 }],
    ['armMs', { armMs: 5000 }],
    ['staleMinutes', { staleMinutes: 60 }],
    ['power', { power: 0.6 }],
    ['shadow.minimumPairs', { shadow: { minimumPairs: 1 } }],
    ['shadowOnly', { shadowOnly: [{ role: 'platform', count: 1 }] }],
  ])('loosens nothing: %s', (path, own) => {
    expect(() => tightened(own)).toThrow(`transitions.prod.canary.${path}`);
  });

  it('does not give up what the floor has, or have what it has not', () => {
    const strict = { ...rule(), noErrors: true };
    const floor = {
      ...governance,
      transitions: { ...governance.transitions, prod: { ...governance.transitions.prod, canary: strict } },
    };
    expect(() => tightened({ noErrors: false }, floor)).toThrow(
      "canary.noErrors: false is looser than the floor's true",
    );
    const { canary: _canary, ...prod } = governance.transitions.prod;
    const none = { ...governance, transitions: { ...governance.transitions, prod } };
    expect(() => tightened({ hours: 48 }, none)).toThrow('transitions.prod.canary: the floor has none');
    const { shadow: _shadow, shadowOnly: _shadowOnly, ...bare } = rule();
    const unshadowed = {
      ...governance,
      transitions: { ...governance.transitions, prod: { ...governance.transitions.prod, canary: bare } },
    };
    expect(() => tightened({ shadow: { decisions: true } }, unshadowed)).toThrow('canary.shadow: the floor has none');
    expect(() => tightened({ shadowOnly: [{ role: 'risk', count: 1 }] }, unshadowed)).toThrow(
      'canary.shadowOnly: the floor has none',
    );
  });
});

describe('what a request asks for', () => {
  it('lengthens, and never shortens', () => {
    expect(askedFor(rule(), { kind: 'longer', hours: 48 })).toMatchObject({ hours: 48, deadlineHours: 96 });
    expect(askedFor(rule(), { kind: 'longer', hours: 1 })).toEqual(rule());
    expect(askedFor(rule(), undefined)).toEqual(rule());
  });

  it('is an A/B test only where the policy has one', () => {
    expect(askedFor(rule(), { kind: 'ab' })).toEqual(rule());
    const ab = { share: 0.3, hours: 12 };
    expect(askedFor({ ...rule(), ab }, { kind: 'ab' })).toMatchObject({ ...ab, deadlineHours: 12 });
  });
});
