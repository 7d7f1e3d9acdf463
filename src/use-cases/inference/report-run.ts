import { z } from 'zod';
import { truncated } from '#domain/audit/truncated.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { RefusedDay } from '#domain/data/build-refusals.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Item } from '#domain/ledger/item.ts';
import { RunStatus, runStatus, unbuiltDays, unscoredDays } from '#domain/prediction/blocked.ts';
import { BatchKind, BatchPlan } from '#domain/prediction/manifest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { readRefusals } from '#use-cases/data/batch-refusals.ts';
import { recordRefusals, resolveRefusals } from '#use-cases/data/open-refusals.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { ListsOutcome } from './aggregates-list.ts';
import { changeFence } from './fence.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

const Batches = z.array(z.object({ refused: Digest.nullable() })).default([]);

export const ReportRun = contract({
  input: z.object({
    model: z.string(),
    run: z.string(),
    trigger: z.string(),
    planned: z.object({
      status: z.enum(['planned', 'nothing-served']),
      kind: BatchKind,
      release: Digest.optional(),
      epoch: z.int().optional(),
      requested: z.int().optional(),
      startedAt: z.iso.datetime().optional(),
      waiting: z.int().optional(),
      days: z.int().optional(),
      plan: Digest.optional(),
    }),
    /** What the batches of each step were refused for, as documents by digest. */
    daily: Batches,
    features: Batches,
    scored: Batches,
    publication: z
      .object({
        status: z.enum(['published', 'kept', 'withdrawn']),
        published: z.int().optional(),
        rows: z.int().optional(),
        carried: z.int().optional(),
        unscored: z.array(z.string()).optional(),
        lists: ListsOutcome.optional(),
      })
      .optional(),
    /** What each batch of rows for look-up came to, where the model has them. */
    lookup: z.array(z.object({ unpublished: z.int(), examples: z.array(z.string()) })).default([]),
  }),
  output: z.object({
    /** `again` where a run was asked for while this one was at work. */
    status: z.enum(['reported', 'again']),
    run: RunStatus,
    published: z.int(),
    rows: z.int(),
    carried: z.int(),
    unscored: z.array(z.string()),
    waiting: z.int(),
    unpublished: z.int(),
    blockedDays: z.int(),
    blocked: z.array(RefusedDay),
  }),
});

interface Reporting extends Recording {
  readonly documents: ArtifactStore;
}

/** Days that a run's item names with their cause: it stays far below what an item may hold. */
const MOST_NAMED = 20;

/**
 * Writes down how a run ended, also when there was nothing to do, and says whether something was asked for while it ran. A
 * day that was due and could not be built or scored is recorded with its cause, once for each.
 */
export function reportRun(deps: Reporting): Task {
  return ReportRun.task(async (given) => {
    const { model, run, trigger, planned, publication, lookup } = given;
    const now = deps.clock.now().toISOString();
    const { release = null, epoch = 0, requested = 0, kind } = planned;
    const blocked = await blockedDays(deps, given);
    const counts = {
      published: publication?.published ?? 0,
      rows: publication?.rows ?? 0,
      carried: publication?.carried ?? 0,
      unscored: (publication?.unscored ?? []).slice(0, 50),
      waiting: planned.waiting ?? 0,
      unpublished: lookup.reduce((sum, { unpublished }) => sum + unpublished, 0),
      blockedDays: blocked.length,
      blocked: blocked.slice(0, MOST_NAMED).map((each) => ({ ...each })),
    };
    const status = runStatus({
      planned: planned.status,
      publication: publication?.status,
      published: counts.published + (publication?.lists?.published ?? 0),
      blocked: blocked.length,
      waiting: counts.waiting,
      days: planned.days,
    });
    // What a superseded run did not score, a newer one has scored or recorded.
    if (publication?.status !== 'withdrawn') await keepBlocked(deps, { model, run }, blocked);
    if (counts.unpublished > 0) await tellUnpublished(deps, { model, run, requested }, counts.unpublished, lookup);
    const item: Item = {
      ...keys.run(model, run),
      model,
      run,
      machine: 'batch-inference',
      trigger,
      status,
      kind,
      release,
      startedAt: planned.startedAt ?? now,
      endedAt: now,
      ...counts,
      ...(publication?.lists === undefined ? {} : { lists: publication.lists }),
    };
    if (publication === undefined && release !== null) {
      // The record of a run that published stands in the transaction of its flips; a run that found nothing to do says so here.
      const result = await recordChange(deps, {
        model,
        operation: operationName('none', run, requested),
        writes: [{ kind: 'put', item }],
        event: {
          code: 'PREDICTIONS_PUBLISHED',
          actor: 'pipeline:prediction-store',
          release,
          details: { run, kind, part: 1, parts: 1, partitions: 0, rows: 0, manifest: null, epoch },
        },
      });
      if (result.kind === 'refused')
        throw new GatehouseError('RUN_NOT_RECORDED', `run ${run} could not be recorded`, { model, run });
    } else {
      await writeUnaudited(deps.ledger, [{ kind: 'put', item }], operationName('r', run, now));
    }
    const fence = await changeFence(deps.ledger, model, (before) => {
      const isDone = before.running === run && before.requested <= requested;
      return isDone ? { ...before, running: null, startedAt: null } : before;
    });
    return { status: fence.running === run ? 'again' : 'reported', run: status, ...counts };
  });
}

/** The days that were due and have no predictions, or no aggregates that endpoints should load, with their causes. */
async function blockedDays(
  { documents }: Reporting,
  { planned, publication, daily, features, scored }: z.output<typeof ReportRun.input>,
): Promise<readonly RefusedDay[]> {
  const waiting =
    planned.plan === undefined ? [] : ((await readDocument(documents, BatchPlan, planned.plan)).blocked ?? []);
  const of = (batches: z.output<typeof Batches>): Promise<readonly RefusedDay[]> =>
    readRefusals(
      documents,
      batches.map(({ refused }) => refused),
    );
  const refused = { daily: await of(daily), features: await of(features), scored: await of(scored) };
  const unscored = [...unscoredDays(publication?.unscored ?? [], refused), ...waiting];
  const known = new Set(unscored.map(({ day }) => day));
  const unbuilt = (publication?.lists?.unbuilt ?? []).filter((day) => !known.has(day));
  return [...unscored, ...unbuiltDays(unbuilt, refused.daily)];
}

/** Records what is newly blocked, one record for each cause, and ends the refusals of the days that are not any more. */
async function keepBlocked(
  deps: Recording,
  { model, run }: { readonly model: string; readonly run: string },
  blocked: readonly RefusedDay[],
): Promise<void> {
  for (const [, same] of Map.groupBy(blocked, ({ rule, found }) => `${rule} ${found}`)) {
    const [first] = same;
    if (first === undefined) continue;
    const { rule, found, remedy } = first;
    const about = { model, kind: 'predictions', days: same.map(({ day }) => day) } as const;
    await recordRefusals(deps, about, { rule, found, remedy }, (days) => ({
      code: 'PREDICTIONS_BLOCKED',
      actor: 'pipeline:prediction-store',
      release: null,
      details: {
        run,
        rule,
        found: truncated([found], 1, 1200).join(''),
        remedy: truncated([remedy], 1, 400).join(''),
        days: days.slice(0, 40),
        count: days.length,
      },
    }));
  }
  const still = new Set(blocked.map(({ day }) => day));
  const standing = await readOpenRefusals(deps.ledger, model);
  await resolveRefusals(
    deps,
    standing.filter(({ kind, day }) => kind === 'predictions' && !still.has(day)),
  );
}

/** Says in the chain, and so to people, that rows of published partitions cannot be looked up, and why. */
async function tellUnpublished(
  deps: Recording,
  { model, run, requested }: { readonly model: string; readonly run: string; readonly requested: number },
  rows: number,
  lookup: readonly { readonly examples: readonly string[] }[],
): Promise<void> {
  const examples = lookup.flatMap((each) => each.examples);
  await recordChange(deps, {
    model,
    operation: operationName('unpublished', run, requested),
    writes: [],
    event: {
      code: 'ROWS_NOT_PUBLISHED',
      actor: 'pipeline:prediction-store',
      release: null,
      details: { run, rows, examples: truncated(examples, 4, 1200) },
    },
  });
}
