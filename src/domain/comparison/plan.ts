import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { InputPartition } from '../data/partition.ts';
import { ModelName } from '../model/definition.ts';

/** What a comparison is measured from: labels by reference, features and both releases' predictions by digest. */
export const ComparisonPlan = document(
  'comparison plan',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    definition: Digest,
    champion: Digest,
    candidate: Digest,
    labels: z.array(InputPartition),
    features: z.array(Digest),
    championPredictions: z.array(Digest),
    candidatePredictions: z.array(Digest),
    /** What rows are clustered and sliced by; by days, and not at all, where it is left out. */
    cluster: z.string().min(1).exactOptional(),
    /** Whether what the rows are clustered by is parted by days besides. */
    byDay: z.literal(true).exactOptional(),
    slices: z.array(z.string().min(1)).exactOptional(),
    /** At what probability decisions are counted; not at all where it is left out. */
    threshold: z.number().gt(0).lt(1).exactOptional(),
  }),
);
export type ComparisonPlan = z.infer<typeof ComparisonPlan>;
