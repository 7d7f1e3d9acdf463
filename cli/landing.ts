import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { GetQueueUrlCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { LandedObject } from '#domain/data/waiting-days.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { type Cloud, notDeployed } from './cloud.ts';

type Sources = Pick<ModelDefinition, 'events' | 'labels'>;

/** What lies in the landing bucket under a source. */
export async function landedObjects(
  { s3, names, environment }: Cloud,
  { source }: Sources['events' | 'labels'],
): Promise<readonly LandedObject[]> {
  const found: LandedObject[] = [];
  try {
    const asked = { Bucket: names.landingBucket, Prefix: `${source}/` };
    for await (const page of paginateListObjectsV2({ client: s3 }, asked))
      found.push(...(page.Contents ?? []).map(({ Key: key = '', LastModified: at = new Date(0) }) => ({ key, at })));
  } catch (error) {
    return notDeployed(environment, error);
  }
  return found;
}

/** The ready markers of a model's sources that lie in the landing bucket. */
export async function readyMarkers(cloud: Cloud, definition: Sources): Promise<readonly string[]> {
  const found: string[] = [];
  for (const side of [definition.events, definition.labels]) {
    for (const { key } of await landedObjects(cloud, side)) {
      // A marker in a folder of a day's folder is none: writers leave such folders behind.
      const [day = '', name, ...deeper] = key.slice(side.source.length + 1).split('/');
      if (day.startsWith('dt=') && name === side.readyMarker && deeper.length === 0) found.push(key);
    }
  }
  return found.sort();
}

/** SQS takes ten messages at once. */
const BATCH = 10;

/** Asks admission to look at ready markers again. What is admitted already stays as it is. */
export async function readmit(
  { sqs, names, environment }: Pick<Cloud, 'sqs' | 'names' | 'environment'>,
  markers: readonly string[],
): Promise<void> {
  const { QueueUrl } = await sqs
    .send(new GetQueueUrlCommand({ QueueName: names.name('admission') }))
    .catch((error: unknown) => notDeployed(environment, error));
  for (let from = 0; from < markers.length; from += BATCH) {
    const batch = markers.slice(from, from + BATCH);
    const Entries = batch.map((key, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify({ bucket: names.landingBucket, key }),
    }));
    const { Failed } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const [failed] = Failed ?? [];
    if (failed !== undefined)
      throw new Error(
        `the admission queue refused ${batch[Number(failed.Id)] ?? 'a marker'}: ${failed.Message ?? failed.Code ?? 'no reason'}`,
      );
  }
}
