import { INTEGRITY_CHECKS, type VerificationReport } from '../gates/gates/release-integrity.ts';
import { type DescribedKey, whyNotUsable } from './keys.ts';
import { type FailedCondition, failed, type ReadinessCondition } from './conditions.ts';
import { type ReleaseObject, whyNotStored } from './stored-objects.ts';

/** What reading the newest admitted data by a release's definition came to, one entry for each kind. */
export interface SourceDataCheck {
  readonly kind: 'events' | 'labels';
  readonly problem: string | null;
}

/** All that was looked at of the release that a rollback would go to. */
export interface ExaminedTarget {
  readonly objects: readonly ReleaseObject[];
  readonly keys: readonly DescribedKey[];
  readonly checks: VerificationReport['checks'];
  readonly data: readonly SourceDataCheck[];
  readonly now: Date;
  readonly retentionDays: number;
}

/** Which checks of a release's verification stand for which condition. */
const VERIFIED = {
  loads: [INTEGRITY_CHECKS.definition, INTEGRITY_CHECKS.loads],
  golden: [INTEGRITY_CHECKS.golden],
} as const;
const KINDS = ['events', 'labels'] as const;

/**
 * The conditions that do not hold. What was not checked has not passed: it fails by itself, unless it could not be checked because
 * another condition failed, which then says why.
 */
export function judgeReadiness({
  objects,
  keys,
  checks,
  data,
  now,
  retentionDays,
}: ExaminedTarget): readonly FailedCondition[] {
  const stored =
    objects.length === 0
      ? [failed('versions', 'no object was looked at')]
      : whyNotStored(objects, { now, retentionDays });
  const usable = keys.length === 0 ? [failed('keys', 'no key was looked at')] : whyNotUsable(keys);
  const problems = new Map(checks.map(({ check, problem }) => [check, problem]));
  const found: FailedCondition[] = [...stored, ...usable];
  const files = problems.get(INTEGRITY_CHECKS.files);
  const isUnreadable = found.some(({ condition }) => condition === 'versions' || condition === 'hashes');
  // What is damaged is told as what is damaged of it, where that was seen.
  if (typeof files === 'string' && !isUnreadable) found.push(failed('hashes', files));
  const unchecked: ReadinessCondition[] = [];
  const verdict = (condition: 'loads' | 'golden', names: readonly string[]): void => {
    const problem = names.map((name) => problems.get(name)).find((each) => typeof each === 'string');
    if (typeof problem === 'string') found.push(failed(condition, problem));
    else if (!names.every((name) => problems.get(name) === null)) unchecked.push(condition);
  };
  verdict('loads', VERIFIED.loads);
  // A release that is not online has no golden request.
  const request = INTEGRITY_CHECKS.goldenRequest;
  verdict('golden', problems.has(request) ? [...VERIFIED.golden, request] : VERIFIED.golden);
  const wrong = data.flatMap(({ problem }) => problem ?? []);
  if (wrong.length > 0) found.push(failed('schema', wrong.join('; ')));
  else if (!KINDS.every((kind) => data.some((each) => each.kind === kind))) unchecked.push('schema');
  if (found.length > 0) return found;
  return unchecked.map((condition) => failed(condition, 'it was not checked'));
}
