/** Where two files part, in words: by line where both are text, else by byte; undefined where they do not. */
export function firstDifference(before: Uint8Array, after: Uint8Array): string | undefined {
  const length = Math.max(before.length, after.length);
  let at = 0;
  while (at < length && before[at] === after[at]) at += 1;
  if (at === length) return undefined;
  const [left, right] = [textOf(before), textOf(after)];
  if (left === undefined || right === undefined)
    return `byte ${at} of ${before.length}, and of ${after.length} rebuilt ones`;
  const around = (text: string): string => text.slice(Math.max(0, at - 20), at + 40);
  return `at byte ${at}: "${around(left)}", rebuilt "${around(right)}"`;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
