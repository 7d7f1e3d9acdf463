/** The most that `metrics.json` may hold: its numbers travel through a machine's document of 256 KB, of all windows together. */
export const MOST_METRICS = { bytes: 64 * 1024, names: 50, nameLength: 40 };

/** A text of JSON, or what Python writes in it for numbers that JSON does not have. */
const NO_JSON = /"(?:[^"\\]|\\.)*"|-?\b(?<word>NaN|Infinity)\b/g;

/**
 * What a training program says of itself, in `metrics.json`: its numbers, and nothing else. It is information: what is no
 * number is left out, and where the file is none of ours, too long or has too many names, nothing is said.
 */
export function trainingMetrics(file: Uint8Array | undefined): Readonly<Record<string, number>> {
  if (file === undefined || file.length > MOST_METRICS.bytes) return {};
  const text = new TextDecoder()
    .decode(file)
    .replaceAll(NO_JSON, (found, word?: string) => (word === undefined ? found : 'null'));
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return {};
  const numbers = Object.entries(said).filter((entry): entry is [string, number] => Number.isFinite(entry[1]));
  const fits =
    numbers.length <= MOST_METRICS.names && numbers.every(([name]) => name.length <= MOST_METRICS.nameLength);
  return fits ? Object.fromEntries(numbers) : {};
}
