import { isOpen } from '#domain/promotion/promotion.ts';
import { PartitionKind } from '#domain/data/partition.ts';
import { GatehouseError } from '#domain/error.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { MODEL_METRICS } from '#domain/supervision/metrics.ts';
import { DATA_WITHIN_HOURS, type Watched } from '#domain/supervision/watched.ts';
import type { Clock } from '#ports/clock.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import type { Metrics } from '#ports/metrics.ts';
import { readIncidents } from '#read-model/incidents.ts';
import { findNewestDay } from '#read-model/partitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPromotions } from '#read-model/promotions.ts';
import { each, type Fault } from '#use-cases/each.ts';

export interface MeasuringModels {
  readonly environment: string;
  readonly ledger: ReadableLedger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly deployed: DeployedModels;
  readonly watched: Watched;
}

const HOUR_MS = 3_600_000;

/** Measures what an environment says of each model, and whether its sources still deliver new days. */
export async function measureModels(deps: MeasuringModels, faults: Fault[]): Promise<void> {
  const { ledger, metrics, environment, watched } = deps;
  // In dev nothing is promoted, and in control nothing is served: there a number would say nothing, and cost as much.
  if (!watched.hasCatalogue) return;
  const isServing = 'promotion' in watched.machines;
  const hoursSince = (time: string): number => (deps.clock.now().getTime() - Date.parse(time)) / HOUR_MS;
  await each(
    faults,
    deps.deployed.models,
    ({ definition: { name: model } }) => ({ item: `state of ${model}`, model }),
    async ({ definition: { name: model } }) => {
      const [pointer, promotions, incidents] = await Promise.all([
        readPointer(ledger, model),
        readPromotions(ledger, model),
        readIncidents(ledger, model),
      ]);
      const open = promotions.filter(({ status }) => isOpen(status));
      metrics.emit(
        { environment, model },
        {
          ...(pointer === undefined ? {} : { [MODEL_METRICS.releaseAge]: hoursSince(pointer.at) }),
          ...(isServing ? { [MODEL_METRICS.openPromotions]: open.length } : {}),
          [MODEL_METRICS.openIncidents]: incidents.filter(({ status }) => status !== 'closed').length,
        },
      );
    },
  );
  const sources = deps.deployed.models.flatMap(({ definition }) =>
    PartitionKind.options.map((kind) => ({ definition, kind })),
  );
  await each(
    faults,
    sources,
    ({ definition: { name: model }, kind }) => ({ item: `data of ${model}: ${kind}`, model }),
    async ({ definition: { name: model, sla }, kind }) => {
      const newest = await findNewestDay(ledger, model, kind);
      if (newest === undefined) return;
      const hours = hoursSince(newest.admittedAt);
      const within = sla.dataWithinHours ?? DATA_WITHIN_HOURS;
      metrics.emit({ environment, model, kind }, { [MODEL_METRICS.dataAge]: hours });
      if (hours > within)
        throw new GatehouseError(
          'DATA_OVERDUE',
          `the newest day of ${kind}, ${newest.day}, was admitted ${Math.floor(hours)} hours ago; a new one is expected within ${within}`,
          { day: newest.day, within },
        );
    },
  );
}
