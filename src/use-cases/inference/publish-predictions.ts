import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { ranges } from '#domain/data/feature-work.ts';
import { ABSENT, equals, type Item, type Key, keyText, type Write } from '#domain/ledger/item.ts';
import { authorityOf, keys } from '#domain/ledger/keys.ts';
import { BatchPlan, PredictionManifest, PublishedPredictions } from '#domain/prediction/manifest.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Lake } from '#ports/lake.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPredictions, readFence } from '#read-model/predictions.ts';
import { type ChangeResult, operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, type Said, type Task } from '#use-cases/task.ts';
import { ListsOutcome, listWrites, NO_LISTS } from './aggregates-list.ts';
import { holdsFence } from './fence.ts';

export interface Publication extends Recording {
  readonly lake: Lake;
  readonly documents: ArtifactStore;
}

/** Manifests per transaction: with the checks and the audit record this stays below DynamoDB's 100 actions. */
const FLIP = 80;
/** Days that are named as not scored: an execution's document has room for 13 KB of them. */
const MOST_NAMED = 1000;
/** How often a part is tried anew when lists of aggregates were replaced while it was written. */
const ATTEMPTS = 3;
/** Objects that are looked for at a time. */
const AT_ONCE = 20;

export const PublishPredictions = contract({
  input: z.object({ model: z.string(), plan: Digest }),
  output: z.discriminatedUnion('status', [
    z.object({
      status: z.literal('published'),
      published: z.int(),
      rows: z.int(),
      carried: z.int(),
      unscored: z.array(z.string()),
      unscoredCount: z.int(),
      lists: ListsOutcome,
    }),
    /** There was nothing to publish but lists of aggregates, and what is published stays. */
    z.object({ status: z.literal('kept'), lists: ListsOutcome }),
    /** Another run, or another release, has taken its place. */
    z.object({ status: z.literal('withdrawn'), published: z.int(), failed: z.array(z.string()) }),
  ]),
});

/**
 * Flips the manifests of what a run has scored, in transactions that check that the pointer's epoch and the fence are
 * still the run's: a reader sees a whole partition of one release or the one before it, and a withdrawn release's run
 * publishes nothing. Each transaction carries its own audit record; the last one names the daily aggregates that the model's
 * endpoints load. Refused features or predictions leave their partition as it was, and a list that was replaced meanwhile stays.
 */
export function publishPredictions(deps: Publication): Task {
  return PublishPredictions.task(async ({ model, plan: digest }) => {
    const plan = await readDocument(deps.documents, BatchPlan, digest);
    // Parts are of the plan and not of what was found: a repetition finds the same ones, whatever was scored meanwhile.
    const parts = ranges(Math.max(1, plan.partitions.length), FLIP);
    const done = { published: 0, rows: 0, carried: 0, unscored: [] as string[] };
    let lists = NO_LISTS;
    for (const [index, { from, to }] of parts.entries()) {
      const { manifests, unscored } = await findManifests(deps, plan, plan.partitions.slice(from, to));
      const rows = manifests.reduce((sum, manifest) => sum + manifest.rows, 0);
      const flips = await flipWrites(deps, manifests);
      const manifest = await rootOf(deps.documents, manifests);
      const isLast = index + 1 === parts.length;
      let result: ChangeResult | undefined;
      for (let attempt = 1; result === undefined || (attempt <= ATTEMPTS && isOfLists(result)); attempt += 1) {
        if (isLast) lists = await listWrites(deps, plan);
        if (plan.partitions.length === 0 && lists.outcome.published === 0) return keptLists(deps, plan, lists.outcome);
        const event: AuditEvent = {
          code: 'PREDICTIONS_PUBLISHED',
          actor: 'pipeline:prediction-store',
          release: plan.release,
          details: {
            run: plan.run,
            kind: plan.kind,
            part: index + 1,
            parts: parts.length,
            partitions: manifests.length,
            rows,
            manifest,
            epoch: plan.epoch,
            ...(isLast && plan.aggregates !== undefined
              ? { lists: { published: lists.outcome.published, kept: lists.kept } }
              : {}),
          },
        };
        result = await recordChange(deps, {
          model,
          operation: operationName('publish', plan.run, digest, index),
          writes: [...checks(plan), ...flips, ...lists.writes],
          event,
        });
      }
      if (result.kind === 'refused')
        return { status: 'withdrawn', published: done.published, failed: result.failed.map(keyText) };
      done.published += manifests.length;
      done.rows += rows;
      done.carried += manifests.reduce((sum, { lineage }) => sum + (lineage?.carried ?? 0), 0);
      done.unscored.push(...unscored);
    }
    return {
      status: 'published',
      ...done,
      unscored: done.unscored.slice(0, MOST_NAMED),
      unscoredCount: done.unscored.length,
      lists: lists.outcome,
    };
  });
}

/** Whether nothing but lists of aggregates, which were replaced meanwhile, kept a transaction from being committed. */
function isOfLists(result: ChangeResult): boolean {
  const isList = ({ pk }: Key): boolean => authorityOf(pk) === 'AGGREGATES';
  return result.kind === 'refused' && result.failed.every(isList);
}

/** The answer of a run that publishes nothing: no record says that it did. */
async function keptLists(
  { ledger }: Publication,
  { model, epoch, release, fence }: BatchPlan,
  lists: z.output<typeof ListsOutcome>,
): Promise<Said<z.output<typeof PublishPredictions.output>>> {
  const [pointer, newest] = await Promise.all([readPointer(ledger, model), readFence(ledger, model)]);
  const failed = [
    ...(pointer?.epoch === epoch && pointer.current === release ? [] : [keys.pointer(model)]),
    ...(newest?.fence === fence ? [] : [keys.fence(model)]),
  ];
  return failed.length === 0
    ? { status: 'kept', lists }
    : { status: 'withdrawn', published: 0, failed: failed.map(keyText) };
}

/** What the run must still be for it to publish: the newest one, of the release that is served. */
function checks({ model, epoch, release, fence }: BatchPlan): readonly Write[] {
  const served: Write = { kind: 'check', key: keys.pointer(model), condition: equals({ epoch, current: release }) };
  return [served, holdsFence(model, fence)];
}

async function findManifests(
  deps: Publication,
  plan: BatchPlan,
  partitions: BatchPlan['partitions'],
): Promise<{ readonly manifests: PredictionManifest[]; readonly unscored: string[] }> {
  const { model, release, scorer, schema, run, epoch } = plan;
  const manifests: PredictionManifest[] = [];
  const unscored: string[] = [];
  for (const { from, to } of ranges(partitions.length, AT_ONCE)) {
    const found = await Promise.all(
      partitions.slice(from, to).map(async (partition) => ({
        ...partition,
        built: await deps.lake.find('predictions', model, partition.predictions),
      })),
    );
    for (const { day, features, built } of found) {
      if (built === undefined) unscored.push(day);
      else {
        const publishedAt = deps.clock.now().toISOString();
        const { object, rows, lineage = null } = built;
        const made = { features, release, scorer, schema, object, rows, lineage };
        manifests.push({ formatVersion: 1, model, day, ...made, run, epoch, publishedAt });
      }
    }
  }
  return { manifests, unscored };
}

/** The document that names what a record's transaction published. */
async function rootOf(documents: ArtifactStore, manifests: readonly PredictionManifest[]): Promise<Digest> {
  const named = manifests.map(({ day, features, object, rows }) => ({ day, features, object, rows }));
  return writeDocument(documents, PublishedPredictions, named);
}

/** The writes that replace what is published now, and nothing that came in between. */
async function flipWrites(deps: Publication, manifests: readonly PredictionManifest[]): Promise<readonly Write[]> {
  const published = await findPredictions(deps.ledger, manifests);
  return manifests.map((manifest, index) => {
    const item: Item = { ...keys.prediction(manifest.model, manifest.day), ...manifest };
    return { kind: 'put', item, condition: replaces(published[index]) };
  });
}

function replaces(published: PredictionManifest | undefined): Write['condition'] & object {
  if (published === undefined) return ABSENT;
  const { run, release, features } = published;
  return equals({ run, release, features });
}
