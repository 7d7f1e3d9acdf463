import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeApprovals, whyNotCounting } from '#domain/approval/approval.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { Role } from '#domain/policy/role.ts';
import { admissible, approvalOf, hours, NOW } from '#test/domain/promotion/_case.ts';

const { promotion, evidence } = admissible();
const pieces = [...evidence.values()];
const by = (subject: string, role: Role) => approvalOf(promotion, subject, role, pieces);

describe('an approval counts', () => {
  it('when everything fits', () => {
    expect(whyNotCounting(by('lea', 'ml-lead'), promotion, NOW)).toBeUndefined();
  });

  it.each([
    [{ promotion: 'other' }, 'approval-bound'],
    [{ release: digestOf('other') }, 'approval-bound'],
    [{ model: 'other' }, 'approval-bound'],
    [{ environment: 'staging' }, 'approval-bound'],
    [{ transition: 'staging' }, 'approval-bound'],
    [{ policy: digestOf('other') }, 'approval-bound'],
    [{ evidence: digestOf('other') }, 'approval-bound'],
    [{ subject: 'person:eng' }, 'approval-not-by-requester'],
    [{ role: 'risk' }, 'approval-role'],
    [{ expiresAt: NOW.toISOString() }, 'approval-expired'],
    [{ status: 'used' }, 'approval-single-use'],
  ] as const)('not with %o', (change, rule) => {
    expect(whyNotCounting({ ...by('lea', 'ml-lead'), ...change }, promotion, NOW)).toMatchObject({ rule });
  });

  it('not before anybody was asked, nor after the time to decide', () => {
    expect(whyNotCounting(by('lea', 'ml-lead'), { ...promotion, approvalRequest: null }, NOW)).toMatchObject({
      rule: 'approval-requested',
    });
    const request = { evidence: promotion.approvalRequest?.evidence ?? digestOf(''), expiresAt: hours(1) };
    expect(
      whyNotCounting(by('lea', 'ml-lead'), { ...promotion, approvalRequest: request }, new Date(hours(1))),
    ).toMatchObject({ rule: 'approval-expired', found: `expired at ${hours(1)}` });
  });
});

describe('approvals together', () => {
  it.each([
    ['nobody', [], ['2 of ml-lead', '1 of platform']],
    ['one of two', [by('lea', 'ml-lead')], ['1 of ml-lead', '1 of platform']],
    ['both of one role', [by('lea', 'ml-lead'), by('lou', 'ml-lead')], ['1 of platform']],
    ['the other role', [by('pat', 'platform'), by('pim', 'platform')], ['2 of ml-lead']],
    ['one person in two roles', [by('lea', 'ml-lead'), by('lou', 'ml-lead'), by('lea', 'platform')], ['1 of platform']],
    ['a role that is not required', [by('lea', 'ml-lead'), by('lou', 'ml-lead'), by('eve', 'risk')], ['1 of platform']],
    ['the requester', [by('eng', 'ml-lead'), by('lou', 'ml-lead'), by('pat', 'platform')], ['1 of ml-lead']],
  ] as const)('of %s leave open what is missing', (_, approvals, missing) => {
    const outcome = judgeApprovals(promotion, approvals, NOW);
    expect(
      outcome.kind === 'pending' ? outcome.missing.map(({ count, role }) => `${count} of ${role}`) : outcome.kind,
    ).toEqual(missing);
  });

  it('suffice by as many distinct people as are asked, and use no more', () => {
    const all = [by('lea', 'ml-lead'), by('lou', 'ml-lead'), by('lin', 'ml-lead'), by('pat', 'platform')];
    const outcome = judgeApprovals(promotion, all, NOW);
    expect(outcome.kind === 'approved' && outcome.approvals.map(({ subject }) => subject)).toEqual([
      'person:lea',
      'person:lou',
      'person:pat',
    ]);
  });

  it('are turned down by one rejection, whoever came first', () => {
    const no = { ...by('lin', 'ml-lead'), decision: 'reject' as const };
    const all = [by('lea', 'ml-lead'), by('lou', 'ml-lead'), by('pat', 'platform')];
    for (let at = 0; at <= all.length; at += 1) {
      expect(judgeApprovals(promotion, all.toSpliced(at, 0, no), NOW)).toMatchObject({
        kind: 'rejected',
        by: { subject: 'person:lin' },
      });
    }
    expect(judgeApprovals(promotion, [...all, { ...no, expiresAt: NOW.toISOString() }], NOW).kind).toBe('approved');
  });

  it('never count a person twice, and never depend on their order', () => {
    const vote = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), role: fc.constantFrom(...Role.options) });
    fc.assert(
      fc.property(fc.uniqueArray(vote, { selector: ({ name }) => name }), (votes) => {
        const approvals = votes.map(({ name, role }) => by(name, role));
        const outcome = judgeApprovals(promotion, approvals, NOW);
        expect(judgeApprovals(promotion, approvals.toReversed(), NOW).kind).toBe(outcome.kind);
        if (outcome.kind !== 'approved') return;
        const people = outcome.approvals.map(({ subject }) => subject);
        expect(new Set(people).size).toBe(people.length);
        expect(people).toHaveLength(3);
      }),
    );
  });
});
