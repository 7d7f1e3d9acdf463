import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { LedgerTables } from '#adapters/aws/ledger.ts';

/** The two tables of an environment, as the stacks define their keys. */
export async function createTables(
  client: DynamoDBClient,
  name: string,
  names = { ledger: `ledger-${name}`, catalogue: `catalogue-${name}` },
): Promise<Required<LedgerTables>> {
  for (const TableName of Object.values(names)) {
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: ['pk', 'sk'].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    );
  }
  return names;
}
