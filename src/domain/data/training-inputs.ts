import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { Day, ModelName } from '../model/definition.ts';
import type { CataloguePartition, FeaturePlanResult } from './feature-plan.ts';
import { PartitionKind } from './partition.ts';

/** The admitted partitions that a release was made from, by digest: whoever has them can make it again. */
export const TrainingInputs = document(
  'training inputs',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    partitions: z.array(z.strictObject({ kind: PartitionKind, day: Day, digest: Digest })),
  }),
);
export type TrainingInputs = z.infer<typeof TrainingInputs>;

/** The inputs of some days' features and of the labels that they are trained on, each once, in the order of kind and day. */
export function trainingInputs(
  model: string,
  plans: readonly FeaturePlanResult[],
  labels: readonly CataloguePartition[],
): TrainingInputs {
  const once = new Map<string, TrainingInputs['partitions'][number]>();
  const add = ({ kind, day, digest }: CataloguePartition): void => {
    once.set(`${kind} ${day}`, { kind, day, digest });
  };
  for (const plan of plans) {
    if (!plan.ready) continue;
    for (const part of plan.events) add(part);
    for (const daily of plan.daily)
      for (const part of [...daily.events, ...(daily.labels === undefined ? [] : [daily.labels])]) add(part);
  }
  for (const part of labels) add(part);
  return {
    formatVersion: 1,
    model,
    partitions: [...once].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part),
  };
}

/** What some days' features are made of, each day once, oldest first. */
export function requestInputs(plans: readonly FeaturePlanResult[]): {
  readonly events: CataloguePartition[];
  readonly daily: { readonly day: string; readonly digest: Digest }[];
} {
  const ready = plans.filter((plan) => plan.ready);
  return {
    events: oncePerDay(ready.flatMap(({ events }) => events)),
    daily: oncePerDay(ready.flatMap(({ daily }) => daily.map(({ day, digest }) => ({ day, digest })))),
  };
}

function oncePerDay<T extends { readonly day: string }>(each: readonly T[]): T[] {
  return [...new Map(each.map((one) => [one.day, one])).values()].sort((a, b) => (a.day < b.day ? -1 : 1));
}
