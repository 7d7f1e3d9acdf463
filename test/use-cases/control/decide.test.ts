import { describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { DecisionInput } from '#domain/control/decision.ts';
import { decide } from '#use-cases/control/decide.ts';
import { asks, control, EVIDENCE, hours, MODEL, PROMOTION, RELEASE, START } from './_control.ts';

const approve: DecisionInput = { model: MODEL, promotion: PROMOTION, decision: 'approve', comment: '' };

describe('decide', () => {
  it('puts a decision, bound to everything it is about, into the chain of control', async () => {
    const here = control();
    const { hash } = await here.hears(asks());
    const result = await decide(here, 'lea', { ...approve, comment: 'seen', release: RELEASE, evidence: EVIDENCE });
    expect(result).toMatchObject({
      kind: 'decided',
      decision: { subject: 'person:lea', role: 'ml-lead', requestHash: hash },
    });
    const [record] = await here.chain();
    expect(record).toMatchObject({
      environment: 'control',
      code: 'DECISION_MADE',
      actor: 'person:lea',
      release: RELEASE,
    });
    expect(record?.details).toEqual({
      environment: 'prod',
      promotion: PROMOTION,
      transition: 'prod',
      policy: digestOf('policy'),
      evidence: EVIDENCE,
      subject: 'person:lea',
      role: 'ml-lead',
      decision: 'approve',
      comment: 'seen',
      expiresAt: new Date(START + hours(48)).toISOString(),
    });
  });

  it('lets no decision count longer than its request', async () => {
    const here = control();
    await here.hears(asks());
    here.clock.at += hours(40);
    const result = await decide(here, 'lea', approve);
    expect(result).toMatchObject({ decision: { expiresAt: new Date(START + hours(48)).toISOString() } });
  });

  it('takes two people for two roles', async () => {
    const here = control();
    await here.hears(asks());
    expect(await decide(here, 'lea', approve)).toMatchObject({ kind: 'decided' });
    expect(await decide(here, 'pat', { ...approve, decision: 'reject' })).toMatchObject({ kind: 'decided' });
    expect((await here.chain()).map((record) => record.details['decision'])).toEqual(['approve', 'reject']);
  });

  const refusals: [string, string, (here: ReturnType<typeof control>) => Promise<unknown>][] = [
    ['of the requester', 'approval-not-by-requester', (here) => decide(here, 'eng', approve)],
    ['of someone in no asked role', 'approval-role', (here) => decide(here, 'eve', approve)],
    ['of an unknown person', 'approval-role', (here) => decide(here, 'mallory', approve)],
    [
      'in a role that the person does not have',
      'approval-role',
      (here) => decide(here, 'lea', { ...approve, role: 'platform' }),
    ],
    ['in a role that is not required', 'approval-role', (here) => decide(here, 'eve', { ...approve, role: 'risk' })],
    ['of a person in two roles who names none', 'approval-role-named', (here) => decide(here, 'both', approve)],
    ['on another digest', 'approval-bound', (here) => decide(here, 'lea', { ...approve, release: digestOf('other') })],
    ['on other evidence', 'approval-bound', (here) => decide(here, 'lea', { ...approve, evidence: digestOf('other') })],
    [
      'on an unknown promotion',
      'approval-requested',
      (here) => decide(here, 'lea', { ...approve, promotion: 'nothing' }),
    ],
    [
      'after expiry',
      'approval-expired',
      (here) => {
        here.clock.at += hours(48);
        return decide(here, 'lea', approve);
      },
    ],
    [
      'of a person whose membership ended after signing in',
      'approval-role',
      (here) => {
        here.directory.members['lea'] = [];
        return decide(here, 'lea', approve);
      },
    ],
    [
      'of a person who has decided',
      'approval-once',
      async (here) => {
        await decide(here, 'lea', approve);
        return decide(here, 'lea', { ...approve, decision: 'reject' });
      },
    ],
    [
      'of one person in a second role',
      'approval-once',
      async (here) => {
        await decide(here, 'both', { ...approve, role: 'ml-lead' });
        return decide(here, 'both', { ...approve, role: 'platform' });
      },
    ],
    [
      'on a promotion that has ended',
      'promotion-open',
      async (here) => {
        const details = { promotion: PROMOTION, rule: 'approval-given' as const, reasons: ['rejected by person:pat'] };
        await here.hears({ code: 'PROMOTION_REFUSED', actor: 'pipeline:release', release: RELEASE, details });
        return decide(here, 'lea', approve);
      },
    ],
  ];
  it.each(refusals)('refuses a decision %s', async (_, rule, attempt) => {
    const here = control();
    await here.hears(asks());
    const result = await attempt(here);
    expect(result).toMatchObject({ kind: 'refused', refusal: { rule } });
    for (const record of await here.chain()) expect(record.details['decision']).toBe('approve');
    expect((await here.chain()).length).toBe(rule === 'approval-once' ? 1 : 0);
  });

  it('records one of two decisions that a person sends at once', async () => {
    const here = control();
    await here.hears(asks());
    const results = await Promise.all([
      decide(here, 'lea', approve),
      decide(here, 'lea', { ...approve, decision: 'reject' }),
    ]);
    expect(results.map((result) => result.kind).sort()).toEqual(['decided', 'refused']);
    expect(await here.chain()).toHaveLength(1);
  });
});
