import { z } from 'zod';
import { ATTESTATION_RULES } from './attestation-rules.ts';
import { COMMAND_RULES } from './command-rules.ts';
import { DATA_RULES } from './data-rules.ts';
import { INCIDENT_RULES } from './incident-rules.ts';
import { RELEASE_RULES } from './release-rules.ts';
import { SERVING_RULES } from './serving-rules.ts';

/** The registry of everything by which anything is refused. An id is never renamed: chains and stored documents name it. */
export const RULES = {
  ...RELEASE_RULES,
  ...DATA_RULES,
  ...INCIDENT_RULES,
  ...COMMAND_RULES,
  ...SERVING_RULES,
  ...ATTESTATION_RULES,
} as const;

export type RuleId = keyof typeof RULES;

/** The rules whose remedy is always the same. */
type FixedRule = { [Id in RuleId]: (typeof RULES)[Id] extends { readonly remedy: string } ? Id : never }[RuleId];

/**
 * The id of a rule. What is written is typed by the registry; what is read may have been written by an account, a function or
 * an execution that knows more rules, or other ones, and no reader stops at that.
 */
const Rule = z.string().min(1).meta({ title: 'refusal' }) as z.ZodType as z.ZodType<RuleId, RuleId>;

/** A refusal: a value, never thrown, that names the rule, what was found, and what would change it. */
export const Refusal = z.object({
  rule: Rule,
  found: z.string(),
  remedy: z.string(),
});
export type Refusal = Readonly<z.infer<typeof Refusal>>;

/** What a refusal is made of: what to do is said where it is refused, unless it is always the same. */
export type Refusing =
  | readonly [rule: FixedRule, found: string]
  | readonly [rule: Exclude<RuleId, FixedRule>, found: string, remedy: string];

/** A refusal by a rule, with the rule's own remedy if it has one. */
export function refusal(...[rule, found, remedy]: Refusing): Refusal {
  return { rule, found, remedy: RULES[rule].remedy ?? remedy ?? '' };
}

/** A refusal in one line, as it is recorded and shown. */
export function refusalText({ rule, found, remedy }: Refusal): string {
  return `${rule}: ${found}${remedy === '' ? '' : `; ${remedy}`}`;
}
