/**
 * Shortens texts, so that at most so many of them take at most so many bytes of JSON: a record of the audit chain has a
 * limit, and what may not be told at full length must be told all the same.
 */
export function truncated(texts: readonly string[], count: number, bytes: number): string[] {
  const told = texts.slice(0, count);
  return told.map((text) => cut(text, Math.floor(bytes / told.length)));
}

function cut(text: string, bytes: number): string {
  let rest = text;
  for (let size = sizeOf(rest); size > bytes; size = sizeOf(rest)) {
    // Half of a pair of surrogates is no text.
    rest = rest
      .slice(0, Math.min(rest.length - 1, Math.floor((rest.length * bytes) / size)))
      .replace(/[\uD800-\uDBFF]$/, '');
  }
  return rest;
}

function sizeOf(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
