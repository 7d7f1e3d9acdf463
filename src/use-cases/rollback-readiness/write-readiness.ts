import { truncated } from '#domain/audit/truncated.ts';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { pointerCheck } from '#domain/promotion/pointer.ts';
import { behind } from '#domain/promotion/rollback.ts';
import type { FailedCondition, ReadinessStatus } from '#domain/rollback-readiness/conditions.ts';
import {
  type Readiness,
  READINESS_METRIC,
  readinessValue,
  readinessWrite,
} from '#domain/rollback-readiness/readiness.ts';
import type { Metrics } from '#ports/metrics.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readReadiness } from '#read-model/readiness.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

export interface RecordingReadiness extends Recording {
  readonly metrics: Metrics;
}

/**
 * Records what a check found: the item, its audit record and the alarm's number. Nothing is recorded of a pointer that has moved since,
 * nor over what a later check has found. A run records once, and what it recorded stands.
 */
export async function recordReadiness(
  deps: RecordingReadiness,
  model: string,
  found: Omit<Readiness, 'formatVersion' | 'checkedAt' | 'failed'> & { readonly failed: readonly FailedCondition[] },
): Promise<ReadinessStatus | 'superseded'> {
  const { ledger, clock } = deps;
  const [pointer, newest] = await Promise.all([readPointer(ledger, model), readReadiness(ledger, model)]);
  const { status, run, release, version, epoch, startedAt } = found;
  if (newest?.run === run) return said(deps, model, newest.status);
  const target = pointer === undefined ? null : (behind(pointer)[0]?.release ?? null);
  // A fault knows of no target: it is recorded of whatever there is.
  const isOfNow = epoch === null || (epoch === pointer?.epoch && release === target);
  if (!isOfNow || (newest !== undefined && newest.startedAt > startedAt)) return 'superseded';
  const checkedAt = clock.now().toISOString();
  const readiness: Readiness = { formatVersion: 1, ...found, failed: [...found.failed], checkedAt };
  const result = await recordChange(deps, {
    model,
    operation: operationName('rollback-readiness', run),
    writes: [
      readinessWrite(model, readiness, newest === undefined ? ABSENT : equals({ run: newest.run })),
      ...(epoch === null ? [] : [pointerCheck(model, pointer)]),
    ],
    event: {
      code: 'ROLLBACK_READINESS_CHECKED',
      actor: 'pipeline:release',
      release,
      details: {
        run,
        status,
        version,
        epoch,
        conditions: found.failed.map(({ condition }) => condition),
        reasons: truncated(
          found.failed.map(({ found: what, remedy }) => `${what}; ${remedy}`),
          8,
          1600,
        ),
      },
    },
  });
  return result.kind === 'refused' ? 'superseded' : said(deps, model, status);
}

/** Tells the alarm; again after a repetition, because the first time may have ended before it. */
function said({ environment, metrics }: RecordingReadiness, model: string, status: ReadinessStatus): ReadinessStatus {
  const value = readinessValue(status);
  if (value !== undefined) metrics.emit({ environment, model }, { [READINESS_METRIC]: value });
  return status;
}
