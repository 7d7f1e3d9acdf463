import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { HeadObjectCommand, NotFound, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { canonicalJson } from '#domain/canonical/digest.ts';
import { type PartitionKind, addDays } from '#domain/data/partition.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { LandingPartition } from '#model/replay.ts';

/** What landing has done so far. */
export interface LandingProgress {
  readonly done: number;
  readonly total: number;
  readonly written: number;
}

/** Requests at once. */
const CONCURRENCY = 16;

/**
 * Lands partitions as an outside producer does: the file, then the ready marker. Those of a day land once the day is
 * over. What is there already is left alone; other content under the same name is a correction, whose marker is
 * rewritten. The oldest days land first, events before labels.
 */
export async function landPartitions(input: {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly definition: Pick<ModelDefinition, 'events' | 'labels'>;
  readonly partitions: readonly LandingPartition[];
  readonly from?: string;
  /** The time up to which the world has happened: a day, meaning its beginning, or an instant. */
  readonly until: string;
  readonly onProgress?: (progress: LandingProgress) => void;
}): Promise<LandingProgress> {
  const { s3, bucket, definition, partitions, from = '', until, onProgress } = input;
  const now = Date.parse(until);
  const chosen = partitions
    .filter(({ day }) => day >= from && Date.parse(`${addDays(day, 1)}T00:00:00Z`) <= now)
    .toSorted((a, b) => (`${a.day} ${a.kind}` < `${b.day} ${b.kind}` ? -1 : 1));
  let done = 0;
  let written = 0;
  const queue = chosen.values();
  const work = async (): Promise<void> => {
    for (const partition of queue) {
      if (await land(s3, bucket, definition, partition)) written += 1;
      done += 1;
      onProgress?.({ done, total: chosen.length, written });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return { done, total: chosen.length, written };
}

async function land(
  s3: S3Client,
  bucket: string,
  definition: Pick<ModelDefinition, 'events' | 'labels'>,
  { kind, day, file, sha256, rows }: LandingPartition,
): Promise<boolean> {
  const { source, readyMarker } = definition[kind satisfies PartitionKind];
  const key = `${source}/dt=${day}/${basename(file)}`;
  const marker = `${source}/dt=${day}/${readyMarker}`;
  // The marker is written last and carries the file's digest: if it says so, the whole partition is there.
  if ((await digestOfObject(s3, bucket, marker)) === sha256) return false;
  if ((await digestOfObject(s3, bucket, key)) !== sha256) {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: await readFile(file), Metadata: { sha256 } }));
  }
  const body = canonicalJson({ files: [{ name: basename(file), rows, sha256 }] });
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: marker, Body: body, Metadata: { sha256 } }));
  return true;
}

async function digestOfObject(s3: S3Client, bucket: string, key: string): Promise<string | undefined> {
  try {
    return (await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).Metadata?.['sha256'];
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}
