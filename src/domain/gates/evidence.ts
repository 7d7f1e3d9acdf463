import { z } from 'zod';
import { Digest, digestOfJson } from '../canonical/digest.ts';
import type { Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { ModelName } from '../model/definition.ts';
import type { Promotion } from '../promotion/promotion.ts';
import { GateId, type GateResult, Verdict } from './gate.ts';

/** A gate's verdict on one digest, admitting to one environment under one policy, until it expires. */
export const Evidence = z.strictObject({
  formatVersion: z.literal(1),
  gate: GateId,
  model: ModelName,
  release: Digest,
  producer: z.string().min(1),
  producedIn: z.string().min(1),
  admitsTo: z.string().min(1),
  promotion: z.string().min(1),
  policy: Digest,
  verdict: Verdict,
  /** A PASS on probation only. */
  provisional: z.literal(true).exactOptional(),
  reasons: z.array(z.string()),
  numbers: z.record(z.string(), z.number()),
  /** The measurement that the gate judged, as an object by digest. */
  measure: Digest.nullable(),
  at: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});
export type Evidence = z.infer<typeof Evidence>;

/**
 * A piece of evidence as its item holds it: with the digest under which it was written. A digest that is none says the same
 * as another one: that the evidence was changed after it was recorded.
 */
export const StoredEvidence = Evidence.extend({ body: z.string().catch('') }).transform(({ body, ...evidence }) => ({
  evidence,
  body,
}));
export type StoredEvidence = z.infer<typeof StoredEvidence>;

/** The evidence that a gate's result is, in a promotion. */
export function evidenceOf(
  promotion: Promotion,
  gate: GateId,
  result: GateResult,
  measure: Digest | null,
  now: Date,
): Evidence {
  return {
    formatVersion: 1,
    gate,
    model: promotion.model,
    release: promotion.release,
    producer: 'gates',
    producedIn: promotion.environment,
    admitsTo: promotion.environment,
    promotion: promotion.promotion,
    policy: promotion.policy,
    verdict: result.verdict,
    ...(result.provisional === true ? { provisional: true as const } : {}),
    reasons: [...result.reasons],
    numbers: { ...result.numbers },
    measure,
    at: now.toISOString(),
    expiresAt: [
      new Date(now.getTime() + promotion.evidenceValidHours * 3_600_000).toISOString(),
      ...(result.expiresAt === undefined ? [] : [result.expiresAt]),
    ].toSorted()[0] as string,
  };
}

/** The write of a piece of evidence; a newer one for the same question takes its place. */
export function evidenceWrite(evidence: Evidence): Write {
  const key = keys.evidence(evidence.gate, evidence.model, evidence.release, evidence.admitsTo, evidence.policy);
  return { kind: 'put', item: { ...key, ...evidence, body: bodyOf(evidence) } };
}

/** The digest by which an approval and a commit name exactly this piece of evidence. */
export function bodyOf(evidence: Evidence): Digest {
  return digestOfJson(evidence);
}

/** The one digest over all the evidence that people see when they decide. */
export function evidenceRoot(evidence: readonly Evidence[]): Digest {
  return digestOfJson(evidence.map(bodyOf).toSorted());
}

/** Why a piece of evidence does not admit the promotion's release now, or undefined when it does. */
export function whyNotAdmitting(
  evidence: Evidence | undefined,
  gate: GateId,
  promotion: Promotion,
  now: Date,
): string | undefined {
  if (evidence === undefined) return `${gate}: no evidence`;
  if (evidence.gate !== gate || evidence.release !== promotion.release)
    return `${gate}: evidence is about something else`;
  if (evidence.admitsTo !== promotion.environment) return `${gate}: evidence admits to ${evidence.admitsTo}`;
  if (evidence.promotion !== promotion.promotion) return `${gate}: evidence was made for ${evidence.promotion}`;
  if (evidence.policy !== promotion.policy) return `${gate}: evidence was made under another policy`;
  if (!(Date.parse(evidence.expiresAt) > now.getTime())) return `${gate}: evidence expired at ${evidence.expiresAt}`;
  if (evidence.verdict !== 'PASS' && evidence.verdict !== 'NOT_APPLICABLE') return `${gate}: ${evidence.verdict}`;
  return undefined;
}
