import { setTimeout as delay } from 'node:timers/promises';
import { BatchWriteCommand, type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { Digest, parseDocument } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { checkItem } from '#domain/limits.ts';
import { Day } from '#domain/model/definition.ts';
import { rowKey, rowPartition } from '#domain/prediction/row-key.ts';
import type { PredictionRows, PublishedRow } from '#ports/prediction-rows.ts';

/** The most items that DynamoDB takes in one batch. */
const BATCH = 25;
/** Batches that are under way at once. */
const AT_ONCE = 8;
/** How often what DynamoDB left over is sent again. */
const ATTEMPTS = 10;

const Stored = z.object({
  day: Day,
  row: z.string(),
  entity: z.string(),
  prediction: z.number(),
  predictions: Digest,
  release: Digest,
});

/**
 * Published rows in DynamoDB: an entity's rows are one partition, sorted by day and by the prediction partition that
 * they belong to, so that a newer version of a day stands beside the older one until that expires.
 */
export function dynamoPredictionRows(client: DynamoDBDocumentClient, table: string): PredictionRows {
  const write = async (rows: readonly object[]): Promise<void> => {
    let left = rows.map((Item) => ({ PutRequest: { Item: { ...Item } } }));
    for (let attempt = 1; left.length > 0; attempt += 1) {
      if (attempt > ATTEMPTS)
        throw new GatehouseError('ROWS_NOT_WRITTEN', `${left.length} rows were not taken`, { table });
      if (attempt > 1) await delay(2 ** attempt * 10 * (0.5 + Math.random()));
      const output = await client.send(new BatchWriteCommand({ RequestItems: { [table]: left } }));
      left = (output.UnprocessedItems?.[table] ?? []) as typeof left;
    }
  };
  return {
    async put(model, rows, expiresAt) {
      const items = rows.map((row) => ({
        ...rowKey(model, row),
        ...row,
        expiresAt: Math.ceil(expiresAt.getTime() / 1000),
      }));
      items.forEach(checkItem);
      const batches = Array.from({ length: Math.ceil(items.length / BATCH) }, (_, index) =>
        items.slice(index * BATCH, (index + 1) * BATCH),
      );
      for (let from = 0; from < batches.length; from += AT_ONCE)
        await Promise.all(batches.slice(from, from + AT_ONCE).map(write));
    },
    async of(model, entity) {
      const found: PublishedRow[] = [];
      const pages = paginateQuery(
        { client },
        {
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': rowPartition(model, entity) },
          ScanIndexForward: false,
        },
      );
      for await (const page of pages)
        found.push(...(page.Items ?? []).map((item) => parseDocument(Stored, item, 'published row')));
      return found;
    },
  };
}
