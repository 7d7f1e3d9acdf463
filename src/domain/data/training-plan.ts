import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { Day, ModelName } from '../model/definition.ts';
import { AggregateDays } from '../prediction/aggregates.ts';
import { InputPartition } from './partition.ts';

/** One window of a retraining run, pinned: what is exported, trained on, and later written into the release's manifest. */
export const TrainingPlan = document(
  'training plan',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    run: z.string().min(1),
    asOf: Day,
    definition: Digest,
    commit: z.string().min(1),
    window: z.strictObject({ name: z.string().min(1), from: Day, to: Day }),
    labelsUntil: Day,
    fingerprint: Digest,
    inputs: Digest.exactOptional(),
    labels: z.array(InputPartition),
    features: z.array(z.strictObject({ day: Day, digest: Digest })),
    /** What the features are made of, for a golden request of one of these days; only where the model is online. */
    requests: z.strictObject({ events: z.array(InputPartition), daily: AggregateDays }).exactOptional(),
  }),
);
export type TrainingPlan = z.infer<typeof TrainingPlan>;

/** The file of a day's training rows, in the channel that the trainer reads. */
export function trainingRowsFile(day: string): string {
  return `train-${day}.parquet`;
}
