import { z } from 'zod';
import { closestMatch } from 'leven';

/**
 * The known word that another was most likely meant to be: the one with the fewest letters to insert, delete or replace
 * (Levenshtein 1966), where that is at most two letters in five.
 */
export function nearestOf(word: string, known: readonly string[]): string | undefined {
  return closestMatch(word, known, { maxDistance: Math.round(word.length * 0.4) });
}

/** Says that a key is unknown, and which one was meant, or which there are. */
export function unknownKeyText(key: string, known: readonly string[]): string {
  const nearest = nearestOf(key, known);
  if (nearest !== undefined) return `no field ${key}; did you mean ${nearest}?`;
  return known.length === 0 ? `no field ${key}` : `no field ${key}; there are: ${known.join(', ')}`;
}

/** The messages of a schema's issues, for `safeParse`: keys that a strict object does not know are named with the nearest known one. */
export const issueMessages: z.core.$ZodErrorMap = (issue) => {
  if (issue.code !== 'unrecognized_keys') return undefined;
  const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
  return issue.keys.map((key) => unknownKeyText(key, known)).join('; ');
};

/**
 * The issues of the one option of a union that the value is meant to be: the only one that takes its shape and objects to something
 * in it. Of any other issue, the issue itself.
 */
export function meantIssues(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const [meant, other] = issue.errors.filter((option) => option.every(({ path }) => path.length > 0));
  if (meant === undefined || other !== undefined || issue.errors.length < 2) return [issue];
  return meant.flatMap((inner) => meantIssues({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** What an issue of a schema says is allowed; of a union, each of its options. */
export function issueText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_union': {
      const options = issue.errors.flatMap((option) => option.map(issueText));
      return options.length === 0 ? issue.message : [...new Set(options)].join(' or ');
    }
    default:
      return issue.message;
  }
}
