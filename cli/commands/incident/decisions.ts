import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { s3Lake } from '#adapters/aws/lake.ts';
import { s3RequestStore } from '#adapters/aws/request-store.ts';
import { type ChangedDecisions, countChangedAnswers, countChangedRows } from '#adapters/duckdb/changed-decisions.ts';
import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import type { Incident, RollbackFacts } from '#domain/incident/incident.ts';
import { costThreshold } from '#domain/policy/policy.ts';
import { PublishedPredictions } from '#domain/prediction/manifest.ts';
import type { ObjectReference } from '#domain/data/partition.ts';
import { addDays } from '#domain/data/partition.ts';
import { readDocument } from '#ports/documents.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { readPredictions } from '#read-model/predictions.ts';
import type { Cloud } from '../../cloud.ts';

/** Which decisions would have been different with the release that is served again, at the policy's cost threshold. */
export interface Decisions {
  readonly threshold: number;
  readonly rows: ChangedDecisions;
  /** Days whose predictions of either release are not there, and why. */
  readonly missing: readonly string[];
  /** Null where the model answers no requests. */
  readonly answers: ChangedDecisions | null;
  /** Whether raw events of requests are kept, from which answers that no batch has could be computed again. */
  readonly keepsEvents: boolean;
}

/** Compares what the bad release said with what is published now; a text says why that cannot be known. */
export async function changedDecisions(
  cloud: Cloud,
  { model, epoch }: Incident,
  rollback: RollbackFacts,
  records: readonly AuditRecord[],
): Promise<Decisions | string> {
  const active = await readActivePolicy(cloud.ledger, model);
  const costs = active?.rules.costs;
  if (costs === undefined) return 'the policy names no costs, so no probability is a decision';
  const threshold = costThreshold(costs);
  const lake = s3Lake(cloud.s3, cloud.names.lakeBucket);
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-incident-'));
  try {
    const before = await publishedBy(rollback, records, (digest) =>
      readDocument(cloud.documents, PublishedPredictions, digest),
    );
    const now = new Map((await readPredictions(cloud.ledger, model)).map((manifest) => [manifest.day, manifest]));
    const missing: string[] = [];
    const pairs: { readonly bad: string; readonly good: string }[] = [];
    const good: string[] = [];
    for (const day of rollback.days) {
      const [old, repaired] = [before.get(day), now.get(day)];
      if (old === undefined || repaired === undefined || repaired.release === rollback.from) {
        missing.push(`${day}: ${repaired?.release === rollback.from ? 'not repaired yet' : 'no record of its files'}`);
        continue;
      }
      pairs.push({ bad: await lake.fetchSource(old, folder), good: await lake.fetchSource(repaired.object, folder) });
      good.push(pairs.at(-1)?.good ?? '');
    }
    const rows = await countChangedRows(pairs, threshold);
    const about = { model, epoch, rollback, threshold, good, predicted: now.keys() };
    const answers = await changedAnswers(cloud, about, folder);
    const { definition } = await definitionOf(cloud.releases, rollback.from);
    return { threshold, rows, missing, answers, keepsEvents: (definition.online?.retentionDays ?? 0) > 0 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the bad release has published for each day last, as its records say. */
async function publishedBy(
  rollback: RollbackFacts,
  records: readonly AuditRecord[],
  read: (digest: Digest) => Promise<readonly { readonly day: string; readonly object: ObjectReference }[]>,
): Promise<ReadonlyMap<string, ObjectReference>> {
  const objects = new Map<string, ObjectReference>();
  for (const record of records) {
    const digest = record.release === rollback.from ? manifestOf(record) : undefined;
    if (digest === undefined) continue;
    for (const { day, object } of await read(digest)) objects.set(day, object);
  }
  return objects;
}

function manifestOf(record: AuditRecord): Digest | undefined {
  return record.code === 'PREDICTIONS_PUBLISHED'
    ? (detailsOf(record, 'PREDICTIONS_PUBLISHED').manifest ?? undefined)
    : undefined;
}

/** Compares what an endpoint answered with the batch of the release that is served again; null where it answered nothing. */
async function changedAnswers(
  cloud: Cloud,
  about: {
    readonly model: string;
    readonly epoch: number;
    readonly rollback: RollbackFacts;
    readonly threshold: number;
    readonly good: readonly string[];
    readonly predicted: Iterable<string>;
  },
  folder: string,
): Promise<ChangedDecisions | null> {
  const { model, epoch, rollback, threshold, good, predicted } = about;
  const requests = s3RequestStore(cloud.s3, cloud.names.lakeBucket);
  // What is asked is of the days that were predicted, and of the two after the newest.
  const newest = [...predicted].toSorted().at(-1);
  const later = newest === undefined ? [] : [addDays(newest, 1), addDays(newest, 2)];
  const days = [...new Set([...rollback.days, ...(newest === undefined ? [] : [newest]), ...later])];
  const files: string[] = [];
  for (const day of days) files.push(...(await requests.fetch(model, day, folder)));
  if (files.length === 0) return null;
  return countChangedAnswers({ requests: files, release: rollback.from, epoch, good, threshold });
}
