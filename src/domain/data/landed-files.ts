/** What lies in the folder of a partition, by what it is. */
export interface LandedFiles<T> {
  readonly data: T[];
  /** What writers leave behind, and what tables hide. */
  readonly hidden: readonly string[];
  /** What is neither: to pass over it would be to lose rows without a word. */
  readonly unknown: readonly string[];
}

/**
 * Tells the data of a partition from what lies beside it, by names below the partition's folder. Data is `*.parquet` in the
 * folder itself. What begins with an underscore or a dot is hidden, as is all below such a folder (`_SUCCESS`,
 * `_temporary/0/...`, `_committed_1`, `.part-0.parquet.crc`), and so are the empty objects that stand for folders.
 * Source: https://hadoop.apache.org/docs/stable/api/org/apache/hadoop/mapred/FileInputFormat.html, whose hidden files those are
 */
export function landedFiles<T extends { readonly key: string }>(prefix: string, objects: readonly T[]): LandedFiles<T> {
  const data: T[] = [];
  const hidden: string[] = [];
  const unknown: string[] = [];
  for (const object of objects) {
    const name = object.key.slice(prefix.length);
    if (isHidden(name)) hidden.push(name);
    else if (/^[^/]+\.parquet$/.test(name)) data.push(object);
    else unknown.push(name);
  }
  return { data, hidden, unknown };
}

/** Whether a name below a partition's folder is one that tables do not read. */
export function isHidden(name: string): boolean {
  return /(^|\/)[_.]/.test(name) || name === '' || name.endsWith('/') || name.endsWith('_$folder$');
}

/** Some names in words, the first few of them. */
export function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => name.slice(0, 120));
  return `${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}`;
}
