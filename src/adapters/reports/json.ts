import { type Refused, refused } from './reading.ts';

/** The deepest nesting of a report; SARIF, the deepest format, needs about 15. */
export const REPORT_DEPTH = 64;
/** The most keys and values of a report: some 20 bytes each. Millions of tiny ones would take a function's memory. */
export const REPORT_VALUES = 200_000;

type Json = { readonly kind: 'json'; readonly value: unknown } | Refused;

/**
 * The value of a JSON text that every parser reads alike: not deeper than the limit, no key twice in one object, and none that
 * would be an object's prototype.
 */
export function jsonOf(text: string): Json {
  const hostile = whyHostile(text);
  if (hostile !== undefined) return hostile;
  try {
    return { kind: 'json', value: JSON.parse(text) };
  } catch (error) {
    return refused('report-format', `no JSON: ${error instanceof Error ? error.message : ''}`, 'write it again');
  }
}

/** Walks the tokens of a text; what is no JSON at all is for the parser to say, which then sees only what is small enough. */
function whyHostile(text: string): Refused | undefined {
  /** The keys of each object that is open; null for an array. */
  const open: (Set<string> | null)[] = [];
  let keyNext = false;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '{':
      case '[':
        open.push(text[at] === '{' ? new Set() : null);
        keyNext = text[at] === '{';
        values += 1;
        if (open.length > REPORT_DEPTH) return hostile(`nested deeper than ${REPORT_DEPTH}`);
        break;
      case '}':
      case ']':
        open.pop();
        keyNext = false;
        break;
      case ',':
        keyNext = open.at(-1) instanceof Set;
        values += 1;
        break;
      case '"': {
        const end = endOfString(text, at);
        const keys = open.at(-1);
        if (keyNext && keys instanceof Set) {
          const key = textOfString(text.slice(at, end + 1));
          if (key === '__proto__') return hostile('a key is __proto__');
          if (keys.has(key)) return hostile(`the key ${key.slice(0, 80)} is there twice in one object`);
          keys.add(key);
        }
        keyNext = false;
        at = end;
        break;
      }
      default:
    }
    if (values > REPORT_VALUES) return refused('report-size', `the report has more than ${REPORT_VALUES} values`);
  }
  return undefined;
}

const hostile = (found: string): Refused => refused('report-hostile', found, 'write it by the tool itself');

/** Where the string that begins here ends, or the text does. */
function endOfString(text: string, begin: number): number {
  let at = begin + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

/** What a string in JSON says: the same key may be spelled in several ways. */
function textOfString(json: string): string {
  try {
    return String(JSON.parse(json));
  } catch {
    return json;
  }
}
