import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Approval } from '#domain/approval/approval.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { bodyOf, type Evidence, evidenceRoot } from '#domain/gates/evidence.ts';
import type { Verdict } from '#domain/gates/gate.ts';
import { keyOf, MAX_ACTIONS } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { commitPromotion } from '#domain/promotion/commit.ts';
import type { GroundsState } from '#domain/promotion/grounds.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { type Promotion, PromotionRequest } from '#domain/promotion/promotion.ts';
import { admissible, CHAMPION, GATES, hours, MODEL, NOW, pointer } from './_case.ts';

const OTHER = digestOf('other');

function outcome(state: GroundsState, now = NOW): string {
  const decision = commitPromotion(state, now);
  return decision.kind === 'commit' ? 'commit' : decision.refusal.rule;
}

function withEvidence(state: GroundsState, pieces: readonly Evidence[]): GroundsState {
  return { ...state, evidence: new Map(pieces.map((piece) => [piece.gate, piece])) };
}

describe('a commit that lacks nothing', () => {
  const state = admissible();
  const decision = commitPromotion(state, NOW);
  if (decision.kind !== 'commit') throw new Error(decision.refusal.found);

  it('moves the pointer by one, to the release, from what was read', () => {
    expect(decision.pointer).toMatchObject({
      current: state.promotion.release,
      seq: 3,
      epoch: 3,
      lastConfirmed: { release: CHAMPION, version: '1.0.0' },
      traffic: { planSeq: 3, arms: [{ release: state.promotion.release, share: 1 }] },
    });
    expect(decision.writes[0]).toMatchObject({
      kind: 'put',
      condition: { values: { seq: 2, epoch: 2, fencingToken: 2, current: CHAMPION } },
    });
  });

  it('has the ledger itself check every piece of evidence and use up every approval', () => {
    for (const piece of state.evidence.values()) {
      const key = keys.evidence(piece.gate, MODEL, piece.release, 'prod', piece.policy);
      const check = decision.writes.find((write) => JSON.stringify(keyOf(write)) === JSON.stringify(key));
      expect(check).toMatchObject({ kind: 'check', condition: { values: { body: bodyOf(piece), verdict: 'PASS' } } });
    }
    for (const approval of state.approvals) {
      const key = keys.approval(MODEL, state.promotion.promotion, approval.subject);
      const use = decision.writes.find((write) => JSON.stringify(keyOf(write)) === JSON.stringify(key));
      expect(use).toMatchObject({
        item: { status: 'used' },
        condition: { values: { status: 'unused', statement: approval.statement, expiresAt: approval.expiresAt } },
      });
    }
  });

  it('names no item twice and leaves room for the audit record', () => {
    const touched = decision.writes.map((write) => JSON.stringify(keyOf(write)));
    expect(new Set(touched).size).toBe(touched.length);
    expect(touched.length).toBeLessThanOrEqual(MAX_ACTIONS - 3);
  });

  it('names the people who promoted it', () => {
    expect(decision.event.details).toMatchObject({
      approvedBy: ['person:lea (ml-lead)', 'person:lou (ml-lead)', 'person:pat (platform)'],
      replaces: CHAMPION,
    });
  });
});

describe('no part of what admits may be missing', () => {
  it('commits with every piece, and with no smaller part of them', () => {
    const whole = admissible();
    const pieces = [...whole.evidence.values()];
    fc.assert(
      fc.property(fc.subarray(pieces), fc.subarray([...whole.approvals]), (evidence, approvals) => {
        const isWhole = evidence.length === pieces.length && approvals.length === whole.approvals.length;
        expect(outcome({ ...withEvidence(whole, evidence), approvals }) === 'commit').toBe(isWhole);
      }),
      { numRuns: 300 },
    );
  });

  it('asks for as many distinct people of each role as the policy says, whatever is handed in', () => {
    const whole = admissible();
    const { promotion } = whole;
    const [first] = whole.approvals;
    if (first === undefined) throw new Error('no approval');
    const person = fc.constantFrom('lea', 'lou', 'pat', 'pim', 'eng');
    const role = fc.constantFrom<Approval['role'][]>('ml-lead', 'platform', 'risk', 'ml-engineer');
    fc.assert(
      fc.property(fc.array(fc.tuple(person, role), { maxLength: 8 }), (votes) => {
        // The ledger holds one approval per person: the first one.
        const own = votes.filter(([name], index) => votes.findIndex(([other]) => other === name) === index);
        const approvals = own.map(([name, as]): Approval => ({ ...first, subject: `person:${name}`, role: as }));
        const counting = own.filter(([name]) => `person:${name}` !== promotion.requestedBy);
        const isEnough =
          counting.filter(([, as]) => as === 'ml-lead').length >= 2 && counting.some(([, as]) => as === 'platform');
        expect(outcome({ ...whole, approvals }) === 'commit').toBe(isEnough);
      }),
      { numRuns: 300 },
    );
  });

  it('lets one rejection of an asked role stand against any number of approvals', () => {
    const state = admissible();
    const [first] = state.approvals;
    if (first === undefined) throw new Error('no approval');
    const rejection: Approval = { ...first, subject: 'person:lin', decision: 'reject' };
    expect(outcome({ ...state, approvals: [...state.approvals, rejection] })).toBe('approval-given');
    // Of a role that nobody asked, it is no decision at all.
    expect(outcome({ ...state, approvals: [...state.approvals, { ...rejection, role: 'risk' }] })).toBe('commit');
  });
});

describe('each binding holds', () => {
  const verdicts: Verdict[] = ['FAIL', 'INCONCLUSIVE'];
  const evidence: [string, Partial<Evidence>][] = [
    ['another release', { release: OTHER }],
    ['another environment', { admitsTo: 'staging' }],
    ['another promotion', { promotion: 'another' }],
    ['another policy', { policy: OTHER }],
    ['its expiry', { expiresAt: NOW.toISOString() }],
    ...verdicts.map((verdict): [string, Partial<Evidence>] => [verdict, { verdict }]),
  ];
  it.each(evidence)('of evidence to %s', (_, change) => {
    for (const gate of GATES) {
      const state = admissible();
      const pieces = [...state.evidence.values()].map((piece) =>
        piece.gate === gate ? { ...piece, ...change } : piece,
      );
      // Also where the people were shown exactly this evidence.
      const root = evidenceRoot(pieces);
      const shown = {
        ...withEvidence(state, pieces),
        promotion: { ...state.promotion, approvalRequest: { evidence: root, expiresAt: hours(48) } },
        approvals: state.approvals.map((approval) => ({ ...approval, evidence: root })),
      };
      expect(outcome(shown)).toBe('evidence-complete');
    }
  });

  it('of evidence to its gate', () => {
    const state = admissible();
    const [first] = state.evidence.values();
    if (first === undefined) throw new Error('no evidence');
    expect(outcome({ ...state, evidence: new Map(state.evidence).set('better-than-champion', first) })).toBe(
      'evidence-complete',
    );
  });

  it('of a pinned NOT_APPLICABLE: it admits', () => {
    const state = admissible();
    const pieces = [...state.evidence.values()].map((piece): Evidence => ({ ...piece, verdict: 'NOT_APPLICABLE' }));
    const root = evidenceRoot(pieces);
    const promotion = { ...state.promotion, approvalRequest: { evidence: root, expiresAt: hours(48) } };
    const approvals = state.approvals.map((approval) => ({ ...approval, evidence: root }));
    expect(outcome({ ...withEvidence(state, pieces), promotion, approvals })).toBe('commit');
  });

  const approval: [string, Partial<Approval>][] = [
    ['another release', { release: OTHER }],
    ['another model', { model: 'other' }],
    ['another environment', { environment: 'staging' }],
    ['another promotion', { promotion: 'another' }],
    ['another transition', { transition: 'staging' }],
    ['another policy', { policy: OTHER }],
    ['other evidence', { evidence: OTHER }],
    ['its expiry', { expiresAt: NOW.toISOString() }],
    ['a role that is not required', { role: 'risk' }],
    ['the requester', { subject: 'person:eng' }],
    ['its single use', { status: 'used' }],
  ];
  it.each(approval)('of an approval to %s', (_, change) => {
    const state = admissible();
    for (const index of state.approvals.keys()) {
      const approvals = state.approvals.map((each, at) => (at === index ? { ...each, ...change } : each));
      expect(outcome({ ...state, approvals })).toBe('approval-given');
    }
  });

  it('of approvals to the evidence that people saw', () => {
    const state = admissible();
    const pieces = [...state.evidence.values()].map((piece) => ({ ...piece, reasons: ['something else'] }));
    expect(outcome(withEvidence(state, pieces))).toBe('approval-bound');
  });

  it('of approvals to their request: unasked and expired ones do not count', () => {
    const state = admissible();
    expect(outcome({ ...state, promotion: { ...state.promotion, approvalRequest: null } })).toBe('approval-bound');
    const evidence = evidenceRoot([...state.evidence.values()]);
    const expired = { ...state.promotion, approvalRequest: { evidence, expiresAt: NOW.toISOString() } };
    expect(outcome({ ...state, promotion: expired })).toBe('approval-given');
  });

  const promotion: [string, Partial<Promotion>, string][] = [
    ['committed before', { status: 'committed' }, 'promotion-open'],
    ['refused', { status: 'refused' }, 'promotion-open'],
    ['failed', { status: 'failed' }, 'promotion-open'],
    ['superseded', { status: 'superseded' }, 'promotion-open'],
    ['past its deadline', { deadline: NOW.toISOString() }, 'promotion-deadline'],
    ['against another champion', { replaces: OTHER }, 'champion-unchanged'],
    ['against no champion', { replaces: null }, 'champion-unchanged'],
    ['of a baseline', { kind: 'baseline' }, 'request-verified'],
    ['initial, over a champion', { transition: 'initial', kind: 'baseline' }, 'initial-only-once'],
    ['without gates', { gates: [] }, 'gates-pinned'],
    ['of what is there already', { release: CHAMPION }, 'release-new'],
  ];
  it.each(promotion)('of a promotion: %s', (_, change, rule) => {
    const state = admissible();
    // The verified request says the same: this alone is what is wrong.
    const request = PromotionRequest.parse(
      Object.fromEntries(
        Object.entries(state.request).map(([name, value]) => [
          name,
          name in change ? Reflect.get(change, name) : value,
        ]),
      ),
    );
    expect(outcome({ ...state, request, promotion: { ...state.promotion, ...change } })).toBe(rule);
  });

  it('of a promotion: quarantined releases never come back', () => {
    expect(outcome({ ...admissible(), isQuarantined: true })).toBe('release-quarantined');
  });

  it('to time: what commits now refuses when everything has expired', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), (later) => {
        const now = new Date(NOW.getTime() + later * 3_600_000);
        expect(outcome(admissible(), now) === 'commit').toBe(later < 20);
      }),
    );
  });

  it('to the pointer that was read: whatever moved it since refuses', () => {
    const moved = fc.constantFrom<Partial<Pointer>[]>({ current: OTHER }, { current: digestOf('baseline') });
    fc.assert(
      fc.property(moved, (change) => {
        expect(outcome({ ...admissible(), pointer: { ...pointer, ...change } })).toBe('champion-unchanged');
      }),
    );
    expect(outcome({ ...admissible(), pointer: undefined })).toBe('champion-unchanged');
  });
});
