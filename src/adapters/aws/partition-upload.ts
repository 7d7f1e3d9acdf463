import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  NotFound,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { canonicalJson, digestOfJson } from '#domain/canonical/digest.ts';
import { type PartitionKind, addDays } from '#domain/data/partition.ts';
import { landedFiles } from '#domain/data/landed-files.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { LandingPartition } from '#model/replay.ts';

/** What landing has done so far. */
export interface LandingProgress {
  readonly done: number;
  readonly total: number;
  readonly written: number;
}

/** A file of a partition that is to lie in the landing bucket under its own name. */
export interface LandingFile {
  readonly file: string;
  /** `sha256:...` of the file. */
  readonly sha256: string;
}

/** Where partitions are landed, and how a model's sources are laid out there. */
export interface Landing {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly definition: Pick<ModelDefinition, 'events' | 'labels'>;
}

/** Partitions at once. */
const CONCURRENCY = 16;

/**
 * Lands partitions as an outside producer does: the file, then the ready marker. Those of a day land once the day is
 * over. What is there already is left alone; other content under the same name is a correction, whose marker is
 * rewritten. The oldest days land first, events before labels.
 */
export async function landPartitions({
  partitions,
  from = '',
  until,
  onProgress,
  ...landing
}: Landing & {
  readonly partitions: readonly LandingPartition[];
  readonly from?: string;
  /** The time up to which the world has happened: a day, meaning its beginning, or an instant. */
  readonly until: string;
  readonly onProgress?: (progress: LandingProgress) => void;
}): Promise<LandingProgress> {
  const now = Date.parse(until);
  const chosen = partitions.filter(({ day }) => day >= from && Date.parse(`${addDays(day, 1)}T00:00:00Z`) <= now);
  const { progress } = await landAll(
    landing,
    chosen.map(({ kind, day, file, sha256 }) => ({ kind, day, files: [{ file, sha256 }] })),
    onProgress,
  );
  return progress;
}

/** A day's files of one kind. */
export interface WholePartition {
  readonly kind: PartitionKind;
  readonly day: string;
  readonly files: readonly LandingFile[];
}

/** Lands whole partitions, the oldest first; what is there already, marker included, is left alone, and told. */
export async function landAll(
  landing: Landing,
  partitions: readonly WholePartition[],
  onProgress?: (progress: LandingProgress) => void,
): Promise<{ readonly progress: LandingProgress; readonly left: readonly WholePartition[] }> {
  const left: WholePartition[] = [];
  let done = 0;
  let written = 0;
  const queue = partitions.toSorted((a, b) => (`${a.day} ${a.kind}` < `${b.day} ${b.kind}` ? -1 : 1)).values();
  const work = async (): Promise<void> => {
    for (const partition of queue) {
      if (await land(landing, partition)) written += 1;
      else left.push(partition);
      done += 1;
      onProgress?.({ done, total: partitions.length, written });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return { progress: { done, total: partitions.length, written }, left };
}

async function land({ s3, bucket, definition }: Landing, { kind, day, files }: WholePartition): Promise<boolean> {
  const { source, readyMarker } = definition[kind];
  const listed = files.map(({ file, sha256 }) => ({ name: basename(file), sha256 }));
  const marker = `${source}/dt=${day}/${readyMarker}`;
  // The marker is written last and carries the digest of its list: if it says so, the whole partition is there.
  const content = digestOfJson(listed);
  if ((await digestOfObject(s3, bucket, marker)) === content) return false;
  for (const { file, sha256 } of files) {
    const key = `${source}/dt=${day}/${basename(file)}`;
    if ((await digestOfObject(s3, bucket, key)) === sha256) continue;
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: await readFile(file), Metadata: { sha256 } }));
  }
  const body = canonicalJson({ files: listed });
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: marker, Body: body, Metadata: { sha256: content } }));
  return true;
}

/** The data of a day that lies in the landing bucket under other names than those that are to be landed. */
export async function otherFiles(
  { s3, bucket, definition }: Landing,
  { kind, day, files }: WholePartition,
): Promise<readonly string[]> {
  const prefix = `${definition[kind].source}/dt=${day}/`;
  const wanted = new Set(files.map(({ file }) => `${prefix}${basename(file)}`));
  const found: string[] = [];
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix })) {
    const objects = (page.Contents ?? []).map(({ Key: key = '' }) => ({ key }));
    const { data } = landedFiles(prefix, objects);
    found.push(...data.map(({ key }) => key).filter((key) => !wanted.has(key)));
  }
  return found;
}

/** Takes files out of the landing bucket, which keeps their versions. */
export async function removeFiles({ s3, bucket }: Landing, keys: readonly string[]): Promise<void> {
  for (const key of keys) await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
}

async function digestOfObject(s3: S3Client, bucket: string, key: string): Promise<string | undefined> {
  try {
    return (await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).Metadata?.['sha256'];
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}
