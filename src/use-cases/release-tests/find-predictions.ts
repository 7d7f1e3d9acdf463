import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { newestPartitions, featurePlanner } from '#domain/data/feature-plan.ts';
import { InputPartition } from '#domain/data/partition.ts';
import { planPredictions } from '#domain/prediction/desired.ts';
import { BatchSample } from '#domain/release-tests/documents.ts';
import { cut } from '#domain/text.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Clock } from '#ports/clock.ts';
import { writeDocument } from '#ports/documents.ts';
import { readPointer } from '#read-model/pointer.ts';
import { type ReadingPredictions, readPredictionState } from '#use-cases/inference/prediction-state.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { ReleaseTestPlan } from './plan-tests.ts';

/** For how long a batch run is waited for: longer than one of a few days takes, with what it has to build before it. */
const PATIENCE_MS = 45 * 60_000;

export const FindPredictions = contract({
  input: z.object({ model: z.string(), startedAt: z.string(), plan: ReleaseTestPlan }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('found'), sample: Digest }),
    z.object({ status: z.literal('waiting') }),
  ]),
});

/**
 * Looks for the newest day that the batch run of a release has published. It waits for as long as something is left to the batch run,
 * and then says what is.
 */
export function findPredictions(
  deps: ReadingPredictions & { readonly documents: ArtifactStore; readonly clock: Clock },
): Task {
  return FindPredictions.task(async ({ model, startedAt, plan: { release } }) => {
    const found = async (sample: Pick<BatchSample, 'problem' | 'published' | 'events'>) => {
      const problem = sample.problem === null ? null : cut(sample.problem, 300);
      const document = { formatVersion: 1 as const, model, release, ...sample, problem };
      return { status: 'found' as const, sample: await writeDocument(deps.documents, BatchSample, document) };
    };
    const pointer = await readPointer(deps.ledger, model);
    if (pointer?.current !== release) {
      const problem = `the pointer names ${pointer?.current ?? 'nothing'}, not ${release}`;
      return found({ problem, published: null, events: [] });
    }
    const { state } = await readPredictionState(deps, model, release);
    const { plan, waiting } = planPredictions(state);
    const left = plan.partitions.filter(({ action }) => action !== 'keep').length;
    const isDone = plan.kind === 'none' && left === 0;
    const age = deps.clock.now().getTime() - Date.parse(startedAt);
    if (!isDone && age < PATIENCE_MS) return { status: 'waiting' };
    const own = state.manifests.filter((manifest) => manifest.release === release && manifest.rows > 0);
    const newest = own.at(-1);
    const days = [...newestPartitions(state.catalogue, 'events')].filter(([, { objects }]) => objects.length > 0);
    const behind = waiting.at(-1);
    const problem = !isDone
      ? `after ${Math.round(age / 60_000)} minutes the batch run has left ${left} days to score`
      : newest === undefined
        ? days.length === 0
          ? 'no events are admitted: there is no day to predict'
          : 'no day with rows is published by this release'
        : newest.day < (days.at(-1)?.[0] ?? newest.day) && behind === undefined
          ? `events of ${days.at(-1)?.[0] ?? ''} are admitted, and the newest predictions are of ${newest.day}`
          : null;
    if (newest === undefined) return found({ problem, published: null, events: [] });
    const { day, features, object, rows } = newest;
    // Of a day whose data were replaced since nobody knows what it was made from.
    const planned = featurePlanner(state.definition, state.engine, state.catalogue)(day);
    const events = planned.ready && planned.digest === features ? planned.events : [];
    return found({
      problem,
      published: { day, features, object, rows },
      events: events.map((each) => InputPartition.parse(each)),
    });
  });
}
