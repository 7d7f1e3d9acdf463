import { expect, it } from 'vitest';
import { measureTrainingRows } from '#adapters/duckdb/training-figures.ts';
import { definition, workspace } from './_fixture.ts';

const { parquet } = workspace();

it('says of exported rows how many have a label, and how well each input alone predicts it', async () => {
  // Of the pairs of a bad and a good row, amount puts (4, 1), (4, 2), (2, 1) in order and ties on (2, 2): 3.5 of 4.
  // Of two days, a file each.
  const values = (text: string) => `SELECT * FROM (VALUES ${text}) AS t(id, amount, rate, bad)`;
  const rows = [
    await parquet('rows-1.parquet', values("('a', 4, 0.1::DOUBLE, 1), ('b', 1, 0.9::DOUBLE, 0)")),
    await parquet('rows-2.parquet', values("('c', 2, NULL::DOUBLE, 1), ('d', 2, 'nan'::DOUBLE, 0)")),
  ];
  const features = [await parquet('first.parquet', 'FROM range(3)'), await parquet('second.parquet', 'FROM range(2)')];
  expect(await measureTrainingRows({ rows, features, definition })).toEqual({
    kind: 'measured',
    rows: {
      events: 5,
      rows: 4,
      positives: 2,
      inputs: [
        { column: 'amount', missing: 0, auc: 0.875 },
        // The one pair that is known is in the wrong order, which tells as much.
        { column: 'rate', missing: 0.5, auc: 1 },
      ],
    },
  });
});

it('has no figure where one class or no value is known', async () => {
  const rows = await parquet('single.parquet', "SELECT 'a' AS id, 1 AS amount, NULL::DOUBLE AS rate, 1 AS bad");
  expect(await measureTrainingRows({ rows: [rows], features: [], definition })).toMatchObject({
    rows: {
      inputs: [
        { column: 'amount', missing: 0, auc: null },
        { column: 'rate', missing: 1, auc: null },
      ],
    },
  });
});
