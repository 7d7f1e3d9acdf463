import { z } from 'zod';

/**
 * Characters that a terminal acts on instead of showing them, or that show a text in another order than it stands: C0 and C1
 * controls (escape sequences begin with one), line and paragraph separators, and what formats or fills without being seen:
 * zero-width and bidirectional marks, tags, fillers.
 * Source: https://trojansource.codes
 */
const UNSEEN = '\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\u034f\\u115f\\u1160\\u3164\\uffa0';
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

/** The same as one line, as a reason or a name is. */
export function seenLine(text: string): string {
  return seen(text.replaceAll('\n', ' '));
}

/** A JSON text in which such characters stand as JSON spells them: nothing is lost, and nothing acts on a terminal. */
export function escaped(json: string): string {
  return json
    .split('\n')
    .map((line) =>
      line.replaceAll(EACH_UNSEEN, (each) =>
        // JSON spells a character beyond the first plane as two.
        Array.from({ length: each.length }, (_, unit) => spelled(each.charCodeAt(unit))).join(''),
      ),
    )
    .join('\n');
}

function spelled(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** A share in percent, with so many digits after the point: `percent(0.0337)` is `3.37 %`. */
export function percent(share: number, digits = 2): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** The first characters of a text; one that would be cut in half is replaced by one that says so. */
export function cut(text: string, characters: number): string {
  return text.slice(0, characters).toWellFormed();
}
