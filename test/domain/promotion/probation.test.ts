import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { bodyOf, evidenceRoot } from '#domain/gates/evidence.ts';
import { commitPromotion } from '#domain/promotion/commit.ts';
import type { GroundsState } from '#domain/promotion/grounds.ts';
import { type Confirmation, confirmRelease } from '#domain/promotion/confirm.ts';
import { confirmedReleases, type Pointer } from '#domain/promotion/pointer.ts';
import { rollBack, rollbackTarget } from '#domain/promotion/rollback.ts';
import { admissible, CHAMPION, hours, inForce, NOW, pointer } from './_case.ts';

/** A promotion one of whose gates passed provisionally only. */
function likely(probationDays: number | null = 14) {
  const state = admissible();
  const evidence = new Map(
    [...state.evidence].map(([gate, piece]) => [
      gate,
      gate === 'better-than-champion' ? { ...piece, provisional: true as const } : piece,
    ]),
  );
  const root = evidenceRoot([...evidence.values()]);
  return {
    ...state,
    promotion: { ...state.promotion, probationDays, approvalRequest: { evidence: root, expiresAt: hours(48) } },
    active: inForce(probationDays),
    evidence,
    approvals: state.approvals.map((approval) => ({ ...approval, evidence: root })),
  };
}

function committed(state: GroundsState) {
  const decision = commitPromotion(state, NOW);
  if (decision.kind === 'refuse') throw new Error(`${decision.refusal.rule}: ${decision.refusal.found}`);
  return decision;
}

function refusedBy(state: GroundsState): string | undefined {
  const decision = commitPromotion(state, NOW);
  return decision.kind === 'refuse' ? decision.refusal.rule : undefined;
}

describe('a promotion that passed provisionally', () => {
  const { pointer: onProbation, event } = committed(likely());

  it('is served on probation, until a time, with the newest confirmed release behind it', () => {
    expect(onProbation).toMatchObject({
      status: 'probation',
      until: hours(14 * 24),
      seq: 3,
      epoch: 3,
      lastConfirmed: { release: CHAMPION, version: '1.0.0' },
    });
    expect(event.details).toMatchObject({ probationUntil: hours(14 * 24) });
    expect(confirmedReleases(onProbation)[0]).toEqual(onProbation.lastConfirmed);
  });

  it('is refused where the policy knows no probation, or where nothing is behind it', () => {
    expect(refusedBy(likely(null))).toBe('probation-allowed');
    const first = likely();
    const promotion = { ...first.promotion, transition: 'initial', kind: 'baseline', replaces: null } as const;
    const request = { ...first.request, transition: 'initial', kind: 'baseline' } as const;
    const active = inForce(14);
    const rules = {
      ...active.rules,
      transitions: { ...active.rules.transitions, initial: active.rules.transitions.prod },
    };
    const state = { ...first, request, promotion, active: { ...active, rules }, pointer: undefined };
    expect(refusedBy(state)).toBe('probation-allowed');
  });

  it('is evidence of its own: the same verdict without the reservation has another body', () => {
    const [first] = likely().evidence.values();
    const { provisional: _provisional, ...proven } = { ...first, provisional: true } as NonNullable<typeof first>;
    expect(bodyOf(proven)).not.toBe(bodyOf({ ...proven, provisional: true }));
  });

  it('leaves room for no other: one is on probation at a time', () => {
    const next = admissible({ release: digestOf('next'), requestSeq: 6 });
    const promotion = { ...next.promotion, replaces: onProbation.current };
    expect(refusedBy({ ...next, promotion, pointer: onProbation })).toBe('one-on-probation');
    expect(refusedBy({ ...next, promotion, pointer: confirmed(onProbation) })).toBeUndefined();
  });

  it('is rolled back to what was confirmed before it', () => {
    const target = rollbackTarget(onProbation, () => false);
    expect(target).toMatchObject({ kind: 'target', release: CHAMPION });
    if (target.kind === 'refuse') return;
    const back = rollBack(onProbation, target, { id: 'r', actor: 'person:op', reason: 'wrong', now: NOW });
    expect(back.pointer).toMatchObject({ current: CHAMPION, status: 'confirmed', until: null, epoch: 4 });
  });
});

const decision: Confirmation = {
  id: 'confirmation-1',
  actor: 'person:op',
  reason: 'better on each day',
  evidence: digestOf('measure'),
  release: digestOf('candidate'),
  epoch: 3,
};

function confirmed(from: Pointer): Pointer {
  const found = confirmRelease(from, decision);
  if (found.kind !== 'confirm') throw new Error(found.kind);
  return found.pointer;
}

describe('a confirmation', () => {
  const { pointer: onProbation } = committed(likely());

  it('ends the probation and nothing else: seq grows, epoch does not', () => {
    const found = confirmRelease(onProbation, decision);
    expect(found).toMatchObject({
      kind: 'confirm',
      pointer: { ...onProbation, status: 'confirmed', until: null, seq: 4, writtenBy: 'confirmation-1' },
      writes: [{ condition: { values: { seq: 3, epoch: 3, current: digestOf('candidate') } } }],
      event: { code: 'RELEASE_CONFIRMED', details: { pointerSeq: 4, epoch: 3, evidence: digestOf('measure') } },
    });
  });

  it('makes the release something to go back to', () => {
    expect(confirmedReleases(confirmed(onProbation)).map(({ version }) => version)).toEqual([
      '1.0.1',
      '1.0.0',
      '0.1.0',
    ]);
  });

  it.each([
    ['of an older epoch', onProbation, { epoch: 2 }, 'probation-epoch'],
    ['of an epoch that has not begun', onProbation, { epoch: 4 }, 'probation-epoch'],
    ['of another release', onProbation, { release: CHAMPION }, 'probation-release'],
    ['where nothing is served', undefined, {}, 'probation-release'],
  ] as const)('is refused %s', (_, from, other, rule) => {
    expect(confirmRelease(from, { ...decision, ...other })).toMatchObject({ kind: 'refuse', refusal: { rule } });
  });

  it('changes nothing where the release is confirmed', () => {
    expect(confirmRelease(confirmed(onProbation), decision)).toEqual({ kind: 'confirmed' });
    expect(confirmRelease(pointer, { ...decision, release: CHAMPION, epoch: 2 })).toEqual({ kind: 'confirmed' });
  });
});
