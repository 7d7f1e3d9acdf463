import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { evidenceRoot } from '#domain/gates/evidence.ts';
import type { GateId } from '#domain/gates/gate.ts';
import type { Upstream } from '#domain/gates/gates/released-upstream.ts';
import { keyOf, keyText } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { groundChecks, type GroundsState, judgeGrounds, whyNotCommitting } from '#domain/promotion/grounds.ts';
import { transitionOf } from '#domain/promotion/promotion.ts';
import { admissible, inForce, MODEL, NOW, policy, said } from './_case.ts';

const WITHDRAWN = digestOf('record of a rollback');

function refusedBy(state: GroundsState): string | undefined {
  return whyNotCommitting(judgeGrounds(state, NOW))?.rule;
}

/** A promotion under a rule with these gates, evidence and approvals bound to them. */
function withGates(gates: readonly GateId[], asked = {}): GroundsState {
  const state = admissible(asked);
  const active = inForce();
  const { transition } = state.promotion;
  const rules = {
    ...policy,
    transitions: { ...policy.transitions, [transition]: { ...policy.transitions.prod, gates: [...gates] } },
  };
  const [piece] = state.evidence.values();
  if (piece === undefined) throw new Error('no evidence');
  const evidence = new Map(gates.map((gate) => [gate, { ...piece, gate }]));
  const root = evidenceRoot([...evidence.values()]);
  const { approvalRequest } = state.promotion;
  return {
    ...state,
    active: { ...active, rules: { ...active.rules, transitions: rules.transitions } },
    evidence,
    promotion: {
      ...state.promotion,
      gates: [...gates],
      approvalRequest: approvalRequest && { ...approvalRequest, evidence: root },
    },
    approvals: state.approvals.map((approval) => ({ ...approval, evidence: root })),
  };
}

const upstreams = (...each: Upstream[]): ReadonlyMap<string, Upstream> =>
  new Map(each.map((one) => [one.environment, one]));

describe('a verdict does not outlive what it rests on', () => {
  it('commits while everything holds', () => {
    expect(judgeGrounds(admissible(), NOW).unmet).toEqual([]);
    expect(refusedBy(admissible())).toBeUndefined();
  });

  it('refuses a release that was rolled back upstream after its gates had passed', () => {
    const upstream = upstreams({ ...said('staging'), withdrawn: WITHDRAWN });
    expect(refusedBy({ ...admissible(), upstream })).toBe('released-upstream');
    expect(refusedBy({ ...admissible(), upstream: new Map() })).toBe('released-upstream');
  });

  it('refuses a hotfix that dev or staging has withdrawn; what staging never had is no obstacle', () => {
    const hotfix = { transition: 'hotfix', hotfix: { reason: 'urgent' }, source: 'dev' } as const;
    expect(refusedBy(admissible(hotfix))).toBeUndefined();
    for (const environment of ['dev', 'staging']) {
      const upstream = upstreams(said('dev'), said('staging'), { ...said(environment), withdrawn: WITHDRAWN });
      expect(refusedBy({ ...admissible(hotfix), upstream })).toBe('released-upstream');
    }
  });

  it('refuses where whoever trained the release signed for no accepted data', () => {
    const gates = ['released-upstream', 'data-validated'] as const;
    const state = withGates(gates);
    const accepted = { ...said('dev'), dataCheck: digestOf('data check') };
    expect(refusedBy({ ...state, upstream: upstreams(said('staging'), accepted) })).toBeUndefined();
    expect(refusedBy({ ...state, upstream: upstreams(said('staging'), said('dev')) })).toBe('data-validated');
    expect(refusedBy({ ...state, upstream: upstreams(said('staging')) })).toBe('data-validated');
  });

  it('refuses under another policy than the one in force, or under none', () => {
    const state = admissible();
    expect(refusedBy({ ...state, active: { ...inForce(), policy: digestOf('stricter') } })).toBe('policy-in-force');
    expect(refusedBy({ ...state, active: undefined })).toBe('policy-in-force');
  });

  it('has the transaction check each item that it read, also what was not there', () => {
    const state = admissible({ transition: 'hotfix', hotfix: { reason: 'urgent' }, source: 'dev' });
    const checked = new Map(groundChecks(state).map((write) => [keyText(keyOf(write)), write.condition?.kind]));
    const { release, promotion } = state.promotion;
    const conditions = [
      [keys.upstream(MODEL, release, 'dev'), 'equals'],
      [keys.upstream(MODEL, release, 'staging'), 'absent'],
      [keys.policy(MODEL), 'equals'],
      [keys.promotionRequest(MODEL, promotion), 'equals'],
      [keys.quarantine(MODEL, release), 'absent-or-equals'],
    ] as const;
    for (const [key, condition] of conditions) expect(checked.get(keyText(key)), keyText(key)).toBe(condition);
  });
});

describe('a promotion is what its verified request says', () => {
  it.each(['requestedBy', 'asOf', 'release', 'source', 'version', 'record'] as const)('in %s', (field) => {
    const state = admissible();
    const forged = { ...state.request, [field]: field === 'asOf' ? '2027-01-01' : digestOf('forged') };
    expect(refusedBy({ ...state, request: forged })).toBe('request-verified');
  });

  it('is refused without one', () => {
    expect(refusedBy({ ...admissible(), request: undefined })).toBe('request-verified');
  });

  it('cannot choose a transition: staging’s rule pins no approvals, and is not prod’s', () => {
    const state = admissible();
    const forged = { transition: 'staging', approvalRequest: null } as const;
    const promotion = { ...state.promotion, ...forged, approvals: [] };
    expect(refusedBy({ ...state, promotion, approvals: [] })).toBe('request-verified');
    // Nor if whoever forged it could write the request as well.
    const request = { ...state.request, transition: 'staging' } as const;
    expect(refusedBy({ ...state, request, promotion, approvals: [] })).toBe('request-verified');
  });

  it('pins what the policy in force says of its transition, and nothing less', () => {
    const state = admissible();
    for (const change of [{ approvals: [] }, { gates: [] }, { approvalHours: 999 }, { evidenceValidHours: 999 }]) {
      const { unmet } = judgeGrounds({ ...state, promotion: { ...state.promotion, ...change } }, NOW);
      expect(unmet.map(({ rule }) => rule)).toContain('policy-in-force');
    }
  });

  it('derives the transition from environment, kind and hotfix', () => {
    const hotfix = { reason: 'urgent' };
    expect(transitionOf('prod', { kind: 'trained' })).toBe('prod');
    expect(transitionOf('staging', { kind: 'trained' })).toBe('staging');
    expect(transitionOf('prod', { kind: 'baseline' })).toBe('initial');
    expect(transitionOf('prod', { kind: 'trained', hotfix })).toBe('hotfix');
    // The first release comes past staging by no other way than any other.
    expect(transitionOf('prod', { kind: 'baseline', hotfix })).toBe('hotfix');
  });
});
