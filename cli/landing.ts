import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { HeadObjectCommand, NotFound, paginateListObjectsV2, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetQueueUrlCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { digestOf } from '#domain/canonical/digest.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { LandingPartition } from '#model/replay.ts';
import { type Cloud, notDeployed } from './cloud.ts';

type Sources = Pick<ModelDefinition, 'events' | 'labels'>;

/** What an outside producer does: writes partitions and then their ready markers, in the order of the days. What lies there already is left. */
export async function landPartitions(
  cloud: Cloud,
  definition: Sources,
  partitions: readonly LandingPartition[],
  onProgress: (done: number, landed: number) => void = () => {},
): Promise<{ readonly landed: number; readonly unchanged: number }> {
  // Events before labels within a day, so that no label ever comes before its event.
  const ordered = partitions.toSorted((a, b) => (`${a.day} ${a.kind}` < `${b.day} ${b.kind}` ? -1 : 1));
  let [landed, done] = [0, 0];
  for (const partition of ordered) {
    if (await land(cloud, definition, partition)) landed += 1;
    done += 1;
    onProgress(done, landed);
  }
  return { landed, unchanged: ordered.length - landed };
}

async function land({ s3, names, environment }: Cloud, definition: Sources, partition: LandingPartition): Promise<boolean> {
  const { source, readyMarker } = definition[partition.kind];
  const prefix = `${source}/dt=${partition.day}/`;
  const content = await readFile(partition.file);
  const sha256 = digestOf(content);
  const bucket = names.landingBucket;
  try {
    const marker = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: `${prefix}${readyMarker}` }));
    if (marker.Metadata?.['content-sha256'] === sha256) return false;
  } catch (error) {
    if (!(error instanceof NotFound)) return notDeployed(environment, error);
  }
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}${basename(partition.file)}`, Body: content })).catch((error: unknown) => notDeployed(environment, error));
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}${readyMarker}`, Body: '', Metadata: { 'content-sha256': sha256 } }));
  return true;
}

/** The ready markers of a model's sources that lie in the landing bucket. */
export async function readyMarkers({ s3, names, environment }: Cloud, definition: Sources): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { source, readyMarker } of [definition.events, definition.labels]) {
    try {
      for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket: names.landingBucket, Prefix: `${source}/` })) {
        found.push(...(page.Contents ?? []).flatMap(({ Key: key }) => (key?.endsWith(`/${readyMarker}`) === true ? [key] : [])));
      }
    } catch (error) {
      return notDeployed(environment, error);
    }
  }
  return found.sort();
}

/** SQS takes ten messages at once. */
const BATCH = 10;

/** Asks admission to look at ready markers again. What is admitted already stays as it is. */
export async function readmit({ sqs, names, environment }: Cloud, markers: readonly string[]): Promise<void> {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: names.name('admission') })).catch((error: unknown) => notDeployed(environment, error));
  for (let from = 0; from < markers.length; from += BATCH) {
    const batch = markers.slice(from, from + BATCH);
    const Entries = batch.map((key, index) => ({ Id: String(index), MessageBody: JSON.stringify({ bucket: names.landingBucket, key }) }));
    const { Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const [failed] = Failed ?? [];
    if (failed !== undefined) throw new Error(`the admission queue refused ${batch[Number(failed.Id)] ?? 'a marker'}: ${failed.Message ?? failed.Code ?? 'no reason'}`);
  }
}
