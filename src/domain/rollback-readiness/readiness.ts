import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';
import type { Condition, Item, Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import type { Pointer } from '../promotion/pointer.ts';
import { behind } from '../promotion/rollback.ts';
import { FailedCondition, ReadinessStatus } from './conditions.ts';

/** What the newest check said of the release that a rollback would go to: one item for a model. */
export const Readiness = z.strictObject({
  formatVersion: z.literal(1),
  status: ReadinessStatus,
  run: z.string().min(1),
  /** The release that a rollback would go to; null where there is none, or it was not known. */
  release: Digest.nullable(),
  version: z.string().nullable(),
  /** The pointer's, in which it was checked; null where it was not known. */
  epoch: z.int().min(1).nullable(),
  /** When the check began to look. */
  startedAt: z.iso.datetime(),
  checkedAt: z.iso.datetime(),
  failed: z.array(FailedCondition).max(8),
});
export type Readiness = z.infer<typeof Readiness>;

/** The metric that alarms watch: 1 where a rollback would work, 0 where it would not or nobody knows. */
export const READINESS_METRIC = 'RollbackReady';

/** What the metric says of a status; undefined where there is nothing to say, of a first release. */
export function readinessValue(status: ReadinessStatus): 0 | 1 | undefined {
  if (status === 'first-release') return undefined;
  return status === 'ready' ? 1 : 0;
}

/** The item of a check, in the place of the one that was read. */
export function readinessWrite(model: string, readiness: Readiness, condition: Condition): Write {
  // Through JSON, so that it is what a ledger holds.
  const document = JSON.parse(JSON.stringify(readiness)) as Omit<Item, 'pk' | 'sk'>;
  return { kind: 'put', item: { ...keys.readiness(model), ...document }, condition };
}

/** A check is due each day; two hours for one that is late or is tried again. */
export const UNCHECKED_AFTER_HOURS = 26;

/** Whether a rollback would work, as far as the newest check says. */
export type ReadinessNow =
  | { readonly kind: 'nothing-served' }
  | { readonly kind: 'first-release' }
  | { readonly kind: 'ready'; readonly version: string; readonly checkedAt: string }
  | {
      readonly kind: 'not-ready';
      readonly version: string | null;
      readonly checkedAt: string;
      readonly failed: readonly FailedCondition[];
    }
  | { readonly kind: 'not-checked'; readonly since: string | null; readonly why: string };

/** What the newest check is worth now: one of another release or epoch, or an old one, says nothing. */
export function readinessNow(readiness: Readiness | undefined, pointer: Pointer | undefined, now: Date): ReadinessNow {
  if (pointer === undefined) return { kind: 'nothing-served' };
  const target = behind(pointer)[0] ?? null;
  if (target === null && isFirst(pointer)) return { kind: 'first-release' };
  if (readiness === undefined) return { kind: 'not-checked', since: null, why: 'no check has ended yet' };
  const { checkedAt: since, status, failed } = readiness;
  const hours = (now.getTime() - Date.parse(since)) / 3_600_000;
  if (status === 'unknown')
    return { kind: 'not-checked', since, why: failed[0]?.found ?? 'the newest check met a fault' };
  if (readiness.epoch !== pointer.epoch || readiness.release !== (target?.release ?? null))
    return { kind: 'not-checked', since, why: 'the newest check is of another target' };
  // A clock that is ahead would keep a check young for ever.
  if (hours < -1) return { kind: 'not-checked', since, why: 'the newest check is dated in the future' };
  if (hours > UNCHECKED_AFTER_HOURS)
    return { kind: 'not-checked', since, why: `the newest check is older than ${UNCHECKED_AFTER_HOURS} h` };
  if (status === 'ready' && readiness.version !== null)
    return { kind: 'ready', version: readiness.version, checkedAt: since };
  return { kind: 'not-ready', version: readiness.version, checkedAt: since, failed };
}

/** Whether the served release is the very first one of the environment: nothing was ever there to go back to. */
export function isFirst({ epoch }: Pick<Pointer, 'epoch'>): boolean {
  return epoch === 1;
}
