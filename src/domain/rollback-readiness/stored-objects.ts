import type { Digest } from '../canonical/digest.ts';
import { type FailedCondition, failed } from './conditions.ts';

/** Until when Object Lock keeps a version of an object; `unreadable` where the store does not say. */
export type Retention =
  | { readonly kind: 'retained'; readonly mode: string; readonly until: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly why: string };

/** The version of an object that is read now; null where its bucket keeps no versions. */
export interface StoredVersion {
  readonly versionId: string | null;
  /** What its bytes hash to. */
  readonly sha256: Digest;
  readonly retention: Retention;
}

/** An object of a release, and what its store has of it. */
export interface ReleaseObject {
  /** Its path in the release, for messages. */
  readonly path: string;
  readonly digest: Digest;
  readonly stored: StoredVersion | undefined;
}

/** S3's two modes; a mode that is not known protects nothing. */
const MODES = ['GOVERNANCE', 'COMPLIANCE'];
const DAY_MS = 86_400_000;

/** The conditions that the objects of a release do not meet: a version of each, with its bytes, retained for some days more. */
export function whyNotStored(
  objects: readonly ReleaseObject[],
  { now, retentionDays }: { readonly now: Date; readonly retentionDays: number },
): readonly FailedCondition[] {
  const missing: string[] = [];
  const damaged: string[] = [];
  const unretained: string[] = [];
  for (const { path, digest, stored } of objects) {
    if (stored === undefined) missing.push(`${path} is not there`);
    else if (stored.versionId === null) missing.push(`${path} has no version: the bucket keeps none`);
    else if (stored.sha256 !== digest) damaged.push(`${path} does not hash to its name`);
    const why = stored === undefined ? undefined : whyNotRetained(stored.retention, now, retentionDays);
    if (why !== undefined) unretained.push(`${path} ${why}`);
  }
  return [
    ...said('versions', missing, objects.length),
    ...said('hashes', damaged, objects.length),
    ...said('retention', unretained, objects.length),
  ];
}

function said(
  condition: 'versions' | 'hashes' | 'retention',
  problems: readonly string[],
  of: number,
): readonly FailedCondition[] {
  const [first] = problems;
  if (first === undefined) return [];
  return [failed(condition, problems.length === 1 ? first : `${problems.length} of ${of} objects: ${first}`)];
}

function whyNotRetained(retention: Retention, now: Date, days: number): string | undefined {
  switch (retention.kind) {
    case 'none':
      return 'is not retained at all';
    case 'unreadable':
      return `has a retention that cannot be read: ${retention.why}`;
    case 'retained': {
      if (!MODES.includes(retention.mode)) return `is retained in an unknown mode, ${retention.mode}`;
      const left = (Date.parse(retention.until) - now.getTime()) / DAY_MS;
      // What is no instant is not long enough either.
      return left >= days ? undefined : `is retained until ${retention.until}, less than ${days} days more`;
    }
  }
}
