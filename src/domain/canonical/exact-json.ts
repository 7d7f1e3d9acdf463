/** Numbers of so many digits may be integers that no double holds. */
const LONG_NUMBER = /[0-9]{16}/;

/** Reads JSON in which an integer that no double holds is a `bigint`. @throws SyntaxError */
export function parseExactJson(text: string): unknown {
  return LONG_NUMBER.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
}

/** Writes JSON in which such an integer has all its digits. */
export function exactJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? RAW.rawJSON(String(each)) : each));
}

/** What the language's types do not name yet. */
const RAW = JSON as typeof JSON & { rawJSON(text: string): unknown };

function exactInteger(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value;
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}
