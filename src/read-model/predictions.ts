import { keys } from '#domain/ledger/keys.ts';
import { Fence, PredictionManifest } from '#domain/prediction/manifest.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find, findEach, list } from './items.ts';

/** The manifests of a model's published predictions, in the order of the days. */
export async function readPredictions(ledger: ReadableLedger, model: string): Promise<readonly PredictionManifest[]> {
  return list(ledger, keys.predictions(model), PredictionManifest);
}

/** The manifest of a day's published predictions. */
export async function findPrediction(
  ledger: ReadableLedger,
  model: string,
  day: string,
): Promise<PredictionManifest | undefined> {
  return find(ledger, keys.prediction(model, day), PredictionManifest);
}

/** The manifests of some days' published predictions, in the order of the days given. */
export async function findPredictions(
  ledger: ReadableLedger,
  days: readonly Pick<PredictionManifest, 'model' | 'day'>[],
): Promise<readonly (PredictionManifest | undefined)[]> {
  return findEach(
    ledger,
    days.map(({ model, day }) => keys.prediction(model, day)),
    PredictionManifest,
  );
}

/** The fence of a model's batch runs, where there is one. */
export async function readFence(ledger: ReadableLedger, model: string): Promise<Fence | undefined> {
  return find(ledger, keys.fence(model), Fence);
}
