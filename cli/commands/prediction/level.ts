import { FEATURE_ENGINE, SCORER } from '#domain/data/engines.ts';
import type { OpenRefusal } from '#domain/data/open-refusal.ts';
import { GatehouseError } from '#domain/error.ts';
import { planPredictions, type PlannedPredictions } from '#domain/prediction/desired.ts';
import { keptDays } from '#domain/prediction/reconciliation.ts';
import { serviceLevel, type ServiceLevel } from '#domain/prediction/service-level.ts';
import { readPartitions } from '#read-model/partitions.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import type { Cloud } from '../../cloud.ts';
import { servedIn } from './read.ts';

/** What the next batch run would do, what stands against it, and how the service level is kept. */
export interface PredictionLevel extends PlannedPredictions {
  readonly refusals: readonly OpenRefusal[];
  readonly level: ServiceLevel;
}

/** Plans by the rules of the batch machine, and checks the service level by those of its watch; nothing is changed. */
export async function predictionLevel(cloud: Cloud, model: string, now: Date): Promise<PredictionLevel> {
  const { ledger } = cloud;
  const { pointer, manifest, definition } = await servedIn(cloud, model);
  const [events, labels, manifests, refusals] = await Promise.all([
    readPartitions(ledger, model, 'events'),
    readPartitions(ledger, model, 'labels'),
    readPredictions(ledger, model),
    readOpenRefusals(ledger, model),
  ]);
  const catalogue = [...events, ...labels];
  const planned = planPredictions({
    definition,
    release: pointer.current,
    schema: manifest.schemas.output,
    engine: FEATURE_ENGINE,
    scorer: SCORER,
    catalogue,
    manifests,
  });
  const { plan, waiting } = planned;
  const state = { definition, pointer, catalogue, manifests, kept: keptDays(plan), waiting, refusals };
  const level = serviceLevel(state, now);
  return { ...planned, refusals, level };
}

/** The service level, or why it is not known: a release whose files are gone must not hide the rest of a status. */
export async function levelIfKnown(cloud: Cloud, model: string, now: Date): Promise<ServiceLevel | string> {
  try {
    return (await predictionLevel(cloud, model, now)).level;
  } catch (error) {
    if (error instanceof GatehouseError) return error.message;
    throw error;
  }
}
