import { describe, expect, it } from 'vitest';
import { DecisionInput } from '#domain/control/decision.ts';
import { personOf } from '#domain/control/person.ts';
import { PolicyVote } from '#domain/control/policy-vote.ts';
import { QuarantineVote } from '#domain/control/quarantine-vote.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { Hotfix } from '#domain/policy/policy.ts';
import { escaped, seen } from '#domain/text.ts';

/** Texts that a terminal would act on, or show otherwise than they stand. */
const UNSEEN: readonly [string, string][] = [
  ['an escape sequence that moves the cursor up', 'fine\u001b[1A\u001b[2Kapproved by everybody'],
  ['a C1 control that begins one', 'fine\u009b2J'],
  ['a carriage return', 'worse by 3 %\rbetter by 3 %'],
  ['a new line', 'fine\nverdict: PASS'],
  ['a bidirectional override', 'refuse \u202eevorppa'],
  ['a zero-width space', 'churn\u200b@1.0.0'],
  ['a line separator', 'fine\u2028PASS'],
  ['a bell', 'fine\u0007'],
  ['a soft hyphen', 'ap\u00adproved'],
  ['a filler', 'fine\u3164'],
  ['tags', 'fine\u{e0041}\u{e0042}'],
];

describe('other people’s text', () => {
  it.each(UNSEEN)('is refused with %s', (_, text) => {
    const decision = { model: 'churn', promotion: 'p', decision: 'approve' };
    const vote = { model: 'churn', environment: 'prod', policy: digestOf('p'), replaces: digestOf('q'), activation: 1 };
    expect(DecisionInput.safeParse({ ...decision, comment: 'fine, naïve 数据' }).success).toBe(true);
    expect(DecisionInput.safeParse({ ...decision, comment: text }).error?.issues[0]?.path).toEqual(['comment']);
    expect(PolicyVote.safeParse({ ...vote, comment: text }).error?.issues[0]?.path).toEqual(['comment']);
    const lift = { model: 'churn', environment: 'prod', release: digestOf('r'), rollback: 'rollback-1', reason: text };
    expect(QuarantineVote.safeParse(lift).error?.issues[0]?.path).toEqual(['reason']);
    expect(Hotfix.safeParse({ reason: text }).error?.issues[0]?.path).toEqual(['reason']);
    expect(() => personOf(`lea${text}`)).toThrow();
  });

  it.each(UNSEEN)('is shown as it stands where it has %s', (_, text) => {
    // What acts on a terminal or is not seen, but for the line feeds between lines.
    const acting = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u3164]/u;
    expect(seen(text)).not.toMatch(acting);
    const json = JSON.stringify({ text }, null, 2);
    expect(escaped(json)).not.toMatch(acting);
    expect(JSON.parse(escaped(json))).toEqual({ text });
  });

  it('keeps lines, and letters of every script', () => {
    expect(seen('naïve\n\tдані 数据 é')).toBe('naïve\n  дані 数据 é');
  });
});
