import { z } from 'zod';

/** What must hold of the release that a rollback would go to, each with what it means. */
export const CONDITIONS = {
  target: 'a confirmed release that is not quarantined is there to roll back to',
  versions: 'a version of each of its objects exists',
  hashes: 'each object hashes to its name',
  retention: 'Object Lock retains each object for long enough',
  keys: 'the keys that a rollback needs are enabled and of the right usage',
  loads: 'its definition and schema agree, and its model loads',
  schema: 'the newest admitted data has the columns that it reads',
  golden: 'its golden predictions, and its golden request, reproduce',
} as const;

export const ReadinessCondition = z.enum(
  Object.keys(CONDITIONS) as [keyof typeof CONDITIONS, ...(keyof typeof CONDITIONS)[]],
);
export type ReadinessCondition = z.infer<typeof ReadinessCondition>;

/** A condition that does not hold, or was not checked: what was found, and what to do. */
export const FailedCondition = z.strictObject({
  condition: ReadinessCondition,
  found: z.string().min(1).max(300),
  remedy: z.string().min(1),
});
export type FailedCondition = z.infer<typeof FailedCondition>;

/** What to do about a condition that does not hold. */
const REMEDIES: Readonly<Record<ReadinessCondition, string>> = {
  target: 'promote another release, and have it confirmed',
  versions: 'remove the delete marker, or restore the release from the environment before this one',
  hashes: 'restore the release from the environment before this one',
  retention: 'extend the retention: aws s3api put-object-retention',
  keys: 'enable the key, or cancel its deletion',
  loads: 'go back to the deployment before, or replace it by a hotfix',
  schema: 'land the columns that it reads, or replace it by a hotfix',
  golden: 'look for a changed engine, or replace it by a hotfix',
};

/** Says that a condition does not hold. */
export function failed(condition: ReadinessCondition, found: string): FailedCondition {
  return { condition, found: found.slice(0, 300) || 'nothing was found', remedy: REMEDIES[condition] };
}

/**
 * What a check comes to. `first-release` has nothing behind it and pages nobody; `no-target` has nothing behind it any more;
 * `unknown` met a fault.
 */
export const ReadinessStatus = z.enum(['ready', 'not-ready', 'no-target', 'first-release', 'unknown']);
export type ReadinessStatus = z.infer<typeof ReadinessStatus>;

/**
 * The conditions that nobody can mend where the world has changed: its data, or the engine. The release that lacks one is replaced by the next,
 * which is said aloud, where that harms nobody or more people have decided: in staging, and by a hotfix.
 */
const WAIVABLE: ReadonlySet<ReadinessCondition> = new Set(['loads', 'schema', 'golden']);

/** Whether a promotion may take the place of a target that is not ready for these reasons, and only these. */
export function mayBeWaived(
  failures: readonly FailedCondition[],
  { environment, transition }: { readonly environment: string; readonly transition: string },
): boolean {
  return (
    failures.every(({ condition }) => WAIVABLE.has(condition)) && (environment === 'staging' || transition === 'hotfix')
  );
}
