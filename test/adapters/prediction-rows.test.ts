import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamoPredictionRows } from '#adapters/aws/prediction-rows.ts';
import { memoryPredictionRows } from '#adapters/memory/prediction-rows.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import type { PredictionRows, PublishedRow } from '#ports/prediction-rows.ts';
import { clients, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';

let cloud: TestCloud;
let client: DynamoDBDocumentClient;
const TABLE = 'gatehouse-prod-predictions';
beforeAll(async () => {
  cloud = await freshCloud();
  client = DynamoDBDocumentClient.from(clients(cloud, '111111111111').dynamodb());
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
});
afterAll(async () => cloud[Symbol.asyncDispose]());

const EXPIRES = new Date('2026-06-01T00:00:00.500Z');
const row = (id: string, change: Partial<PublishedRow> = {}): PublishedRow => ({
  row: id,
  entity: 'card-1',
  prediction: 0.1 + 0.2,
  day: '2026-03-01',
  predictions: digestOf('partition'),
  release: digestOf('release'),
  ...change,
});

describe.each([
  ['in memory', () => memoryPredictionRows()],
  ['in DynamoDB', () => dynamoPredictionRows(client, TABLE)],
])('published rows %s', (_, make: () => PredictionRows) => {
  let rows: PredictionRows;
  beforeAll(() => {
    rows = make();
  });

  it('are found by their entity, the newest days first, with the very numbers', async () => {
    const all = [row('a'), row('b', { day: '2026-03-02' }), row('c', { entity: 'card-2' })];
    await rows.put('m', all, EXPIRES);
    expect(await rows.of('m', 'card-1')).toEqual([all[1], all[0]]);
    expect(await rows.of('m', 'card-2')).toEqual([all[2]]);
    expect(await rows.of('m', 'card-3')).toEqual([]);
    expect(await rows.of('other', 'card-1')).toEqual([]);
  });

  it('stand beside those of another version of their partition', async () => {
    const newer = row('a', { predictions: digestOf('corrected'), prediction: 0.9 });
    await rows.put('m', [newer], EXPIRES);
    expect(new Set((await rows.of('m', 'card-1')).map(({ predictions }) => predictions)).size).toBe(2);
  });

  it('are the same after they were put again', async () => {
    const before = await rows.of('m', 'card-1');
    await rows.put('m', [row('a')], EXPIRES);
    expect(await rows.of('m', 'card-1')).toEqual(before);
  });

  it('are refused where no key can hold them', async () => {
    for (const change of [{ entity: 'x'.repeat(2050) }, { row: 'x'.repeat(950) }])
      await expect(rows.put('m', [row('a', change)], EXPIRES)).rejects.toMatchObject({ code: 'KEY_TOO_LONG' });
    const longest = row('a', { entity: 'x'.repeat(2000) });
    await rows.put('m', [longest], EXPIRES);
    expect(await rows.of('m', longest.entity)).toEqual([longest]);
  });

  it('may be many, and none', async () => {
    await rows.put('m', [], EXPIRES);
    const many = Array.from({ length: 430 }, (_, index) => row(`row-${index}`, { entity: 'busy' }));
    await rows.put('m', many, EXPIRES);
    expect(await rows.of('m', 'busy')).toHaveLength(430);
  });
});

it('rows expire by themselves, some time after nobody can name them any more', async () => {
  const key = { pk: 'ROW#m#card-2', sk: `2026-03-01#${digestOf('partition')}#c` };
  const { Item: item } = await client.send(new GetCommand({ TableName: TABLE, Key: key }));
  expect(item?.['expiresAt']).toBe(Date.parse('2026-06-01T00:00:01Z') / 1000);
});
