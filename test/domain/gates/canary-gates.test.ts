import { describe, expect, it } from 'vitest';
import type { CanaryJudgement, CanaryVerdict } from '#domain/canary/judge.ts';
import type { ShadowJudgement } from '#domain/canary/shadow.ts';
import { GateId, phaseOf } from '#domain/gates/gate.ts';
import { canaryPower } from '#domain/gates/gates/canary-power.ts';
import { canary } from '#domain/gates/gates/canary.ts';
import { shadow } from '#domain/gates/gates/shadow.ts';
import { RULE } from '../canary/_canary.ts';

describe('the phase of a gate', () => {
  it('is after the approval for what customers are watched by, and before it for everything else', () => {
    expect(GateId.options.filter((gate) => phaseOf(gate) === 'after-approval')).toEqual(['shadow', 'canary']);
  });
});

describe('canary-power', () => {
  const traffic = (requestsPerSecond: number, errorRate = 0) => ({ requestsPerSecond, errorRate });
  it.each([
    ['enough traffic', traffic(20), 'PASS'],
    ['too little traffic', traffic(0.001), 'INCONCLUSIVE'],
    ['no traffic', traffic(0), 'INCONCLUSIVE'],
    ['a champion that fails most of it', traffic(20, 0.6), 'INCONCLUSIVE'],
    ['a rate that is none', traffic(Number.NaN), 'INCONCLUSIVE'],
    ['errors that are no share', traffic(20, Number.NaN), 'INCONCLUSIVE'],
    ['traffic that nobody has measured', undefined, 'INCONCLUSIVE'],
  ])('with %s says so', (_, given, verdict) => {
    expect(canaryPower({ ...RULE, hours: 24 }, given).verdict).toBe(verdict);
  });

  it('says what would suffice', () => {
    const { verdict, reasons } = canaryPower({ ...RULE, hours: 1 }, traffic(0.5));
    expect(verdict).toBe('INCONCLUSIVE');
    expect(reasons.at(-1)).toMatch(/^what would suffice: \d+ h with a share of 10 %/);
  });
});

const eValues = { errors: 1, latency: 1, regression: 1, notBad: 1, limit: 100 };
const arm = { requests: 10, errors: 0, slow: 0, late: 0 };
const judged = (verdict: CanaryVerdict): CanaryJudgement => ({
  verdict,
  found: 'what was found',
  decidedAt: null,
  minutes: 1,
  minutesNeeded: 60,
  unusable: 0,
  counts: { candidate: arm, control: arm, champion: arm },
  realisedShare: null,
  eValues,
});

describe('canary', () => {
  it.each([
    ['finish', 'PASS'],
    ['abort', 'FAIL'],
    ['inconclusive', 'INCONCLUSIVE'],
    ['pause', 'INCONCLUSIVE'],
    ['continue', 'INCONCLUSIVE'],
  ] as const)('takes "%s" for %s', (verdict, expected) => {
    expect(canary(judged(verdict))).toMatchObject({ verdict: expected, reasons: ['what was found'] });
  });

  it('says how many requests candidate and control arm were late for', () => {
    const counts = { candidate: { ...arm, late: 3 }, control: { ...arm, late: 2 }, champion: arm };
    expect(canary({ ...judged('continue'), counts }).numbers).toMatchObject({ late: 3, controlLate: 2 });
  });

  it('has no evidence of latency where there is no objective', () => {
    const { numbers } = canary({ ...judged('finish'), eValues: { ...eValues, latency: null } });
    expect(numbers).not.toHaveProperty('latencyEvidence');
  });
});

describe('shadow', () => {
  it.each([
    ['finish', 'PASS'],
    ['abort', 'FAIL'],
    ['inconclusive', 'INCONCLUSIVE'],
    ['continue', 'INCONCLUSIVE'],
  ] as const)('takes "%s" for %s', (verdict, expected) => {
    const judgement: Omit<ShadowJudgement, 'counts'> = {
      verdict,
      found: 'what was found',
      pairs: 9,
      eValues: { errors: 1, decisions: null, latency: null, notBad: 1, limit: 100 },
    };
    const { numbers } = shadow(judgement);
    expect(shadow(judgement)).toMatchObject({ verdict: expected, numbers: { pairs: 9 } });
    expect(numbers).not.toHaveProperty('latency');
    expect(shadow({ ...judgement, eValues: { ...judgement.eValues, latency: 3 } }).numbers).toMatchObject({
      latency: 3,
    });
  });
});
