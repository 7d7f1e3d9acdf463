import { z } from 'zod';

/**
 * Characters that a terminal acts on instead of showing them, or that show a text in another order than it stands: C0 and C1
 * controls (escape sequences begin with one), line and paragraph separators, zero-width and bidirectional marks.
 * Source: https://trojansource.codes
 */
const UNSEEN = '\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff';
const ONLY_SEEN = new RegExp(`^[^${UNSEEN}]*$`, 'u');
const EACH_UNSEEN = new RegExp(`[${UNSEEN}]`, 'gu');

/** A line of text that people read before they decide: what is on the screen is what it says. */
export const SeenText = z.string().regex(ONLY_SEEN, 'must have no control, zero-width or bidirectional characters');

/** A text as it may be shown, by lines: each character that would not be seen is replaced by one that is. */
export function seen(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replaceAll('\t', '  ').replaceAll(EACH_UNSEEN, '\uFFFD'))
    .join('\n');
}

/** A JSON text in which such characters stand as JSON spells them: nothing is lost, and nothing acts on a terminal. */
export function escaped(json: string): string {
  return json
    .split('\n')
    .map((line) =>
      line.replaceAll(EACH_UNSEEN, (each) => `\\u${(each.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`),
    )
    .join('\n');
}
