import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FEATURES_DISK_MB } from '#domain/data/engine-limits.ts';
import type { AdmittedPartition } from '#domain/data/partition.ts';
import { GatehouseError } from '#domain/error.ts';
import type { DayFile } from '#ports/feature-engine.ts';
import type { Lake } from '#ports/lake.ts';

/** Runs some work with a folder of its own, which is gone afterwards: a warm function keeps nothing. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Why some files cannot be had by trying again: they are not there, or do not fit on the disk; undefined for other errors. */
export function whyNotHad(error: unknown): string | undefined {
  if (error instanceof GatehouseError && error.code === 'ARTIFACT_MISSING') return error.message;
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) return undefined;
  return `the files need more than the function's disk of ${FEATURES_DISK_MB} MB; shorten the window, or raise FEATURES_DISK_MB`;
}

/** Copies the objects of admitted partitions into a folder. */
export async function fetchPartitions(
  lake: Lake,
  partitions: readonly Pick<AdmittedPartition, 'day' | 'objects'>[],
  folder: string,
): Promise<DayFile[]> {
  const files = partitions.flatMap(({ day, objects }) =>
    objects.map(async (object) => ({ day, file: await lake.fetchSource(object, folder) })),
  );
  return Promise.all(files);
}

/** A lake that fetches each object into a folder once: the days of a batch, and several comparisons, share most of their inputs. */
export function memoised(lake: Lake): Lake {
  const fetched = new Map<string, Promise<string>>();
  const once = (key: string, fetch: () => Promise<string>): Promise<string> => {
    const known = fetched.get(key) ?? fetch();
    fetched.set(key, known);
    return known;
  };
  return {
    ...lake,
    fetch: (kind, model, digest, folder) =>
      once(`${folder} ${kind} ${model} ${digest}`, () => lake.fetch(kind, model, digest, folder)),
    fetchSource: (object, folder) => once(`${folder} ${object.sha256}`, () => lake.fetchSource(object, folder)),
  };
}
