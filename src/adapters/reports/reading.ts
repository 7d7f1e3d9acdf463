import { z } from 'zod';
import type { Finding, ForgeReview } from '#domain/attestation/finding.ts';
import { issueMessages, meantIssues } from '#domain/issues.ts';
import { type Refusal, type Refusing, refusal } from '#domain/refusal/refusal.ts';
import { cut, seenLine } from '#domain/text.ts';

/** Why a report is not read. */
export interface Refused {
  readonly kind: 'refused';
  readonly refusal: Refusal;
}

/** What a report says. */
export interface Said {
  readonly kind: 'said';
  readonly findings: readonly (Finding | ForgeReview)[];
  /** The commits that the report itself says it is about, which the caller compares; empty where its format names none. */
  readonly subjects: readonly string[];
}

/** What one format's reader answers. */
export type Reading = Said | Refused;

export function refused(...refusing: Refusing): Refused {
  const { rule, found, remedy } = refusal(...refusing);
  // What is found quotes the report, which may be anything.
  return { kind: 'refused', refusal: { rule, found: shown(found, 300), remedy } };
}

export function said(...findings: readonly (Finding | ForgeReview)[]): Said {
  return { kind: 'said', findings, subjects: [] };
}

/** A text of a report as one line that can be shown, of at most so many characters. */
export function shown(text: string, characters: number): string {
  return cut(seenLine(cut(text, characters)), characters);
}

type Shaped<T> = { readonly kind: 'shaped'; readonly value: T } | Refused;

/** A value of a report in the shape that its reader knows; what the shape does not name is ignored. */
export function shaped<S extends z.ZodType>(schema: S, value: unknown, what: string): Shaped<z.output<S>> {
  const parsed = schema.safeParse(value, { error: issueMessages });
  if (parsed.success) return { kind: 'shaped', value: parsed.data };
  const [issue] = parsed.error.issues.slice(0, 1).flatMap(meantIssues);
  const path = issue?.path.map(String).join('.') ?? '';
  const found = `${what}${path === '' ? '' : `, ${path}`}: ${issue?.message ?? 'another shape'}`;
  if (isNumberIssue(issue)) return refused('report-consistent', found);
  if (issue?.code === 'too_big') return refused('report-fits', found, 'report less in one file');
  return refused('report-format', found, 'attest the report as its tool wrote it');
}

/** Whether an issue is that of a number that is negative, infinite, too large, or no whole number. */
function isNumberIssue(issue: z.core.$ZodIssue | undefined): boolean {
  if (issue === undefined) return false;
  if (issue.code === 'too_small' || issue.code === 'too_big')
    return issue.origin === 'number' || issue.origin === 'int';
  return issue.code === 'invalid_type' && issue.expected === 'int';
}

/** A count, and a measure: neither can be negative or infinite. */
export const Count = z.int().nonnegative();
export const Measure = z.number().nonnegative();
