import { hoursUnchecked } from '#domain/drift/hours-unchecked.ts';
import { DRIFT_METRICS } from '#domain/drift/metrics.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import type { Clock } from '#ports/clock.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import type { Metrics } from '#ports/metrics.ts';
import { readPromotions } from '#read-model/promotions.ts';
import { readRuns } from '#read-model/runs.ts';

export interface ReportingUnchecked {
  readonly environment: string;
  readonly ledger: ReadableLedger;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Tells the alarm `drift-unchecked` how long it is since a drift check came to its end; a check cannot tell that it does not come. */
export async function reportUnchecked(
  { environment, ledger, clock, metrics }: ReportingUnchecked,
  model: string,
  pointer: Pointer | undefined,
): Promise<void> {
  const [runs, promotions] = await Promise.all([readRuns(ledger, model), readPromotions(ledger, model)]);
  const ends = runs.flatMap(({ machine, drift, endedAt }) =>
    machine === 'drift' && drift !== undefined && endedAt !== undefined ? [endedAt] : [],
  );
  const committed = promotions.flatMap(({ status, endedAt }) =>
    status === 'committed' && endedAt !== null ? [endedAt] : [],
  );
  const servedSince = pointer === undefined ? undefined : [pointer.at, ...committed].toSorted()[0];
  metrics.emit({ environment, model }, { [DRIFT_METRICS.unchecked]: hoursUnchecked(servedSince, ends, clock.now()) });
}
