import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { judgeTrainerPredictions } from '#domain/model/trainer-predictions.ts';
import { definition as toy } from '../../use-cases/_environments.ts';
import { workspace } from '../duckdb/_fixture.ts';
import { echoModel } from './_models.ts';

const { path, parquet } = workspace();
const DAYS = ['2001-02-01', '2001-02-02'];

/** The rows that were exported of a day; the model says what `b` says. */
const rowsOn = (day: string, id = `'e' || i`): string =>
  `SELECT ${id} AS id, DATE '${day}' AS day, 0.5::FLOAT AS a, (i / 100)::FLOAT AS b, NULL::FLOAT AS c, i % 2 AS bad FROM range(40) AS t(i)`;

/** What comes of the predictions that a SELECT leaves, for ids of a type. */
async function judged(predictions: string, type: 'VARCHAR' | 'BIGINT' = 'VARCHAR') {
  const definition = {
    ...toy,
    events: { ...toy.events, columns: { id: type } },
    features: { ...toy.features, columns: ['a', 'b', 'c'] },
  };
  const id = type === 'VARCHAR' ? undefined : `9007199254740993 + i`;
  const files = new Map<string, string>();
  for (const day of DAYS) files.set(day, await parquet(`train-${day}.parquet`, `${rowsOn(day, id)} ORDER BY 1`));
  const again = await onnxScoring.predictAgain(echoModel(), definition, {
    predictions: predictions.endsWith('.parquet') ? predictions : await parquet('predictions.parquet', predictions),
    rowsOf: async (day) => files.get(day),
  });
  return again.kind === 'refused' ? again : judgeTrainerPredictions(again.rows);
}

/** A program that predicts as it should, but for a change. */
const left = (change = '', where = 'true', day = DAYS[0] ?? ''): string =>
  `SELECT * ${change} FROM (SELECT 'e' || i AS id, DATE '${day}' AS day, i / 100 AS probability FROM range(40) AS t(i)) WHERE ${where}`;

describe('predictions that a trainer left', () => {
  it('are found again by id and day, in whatever order and type', async () => {
    const both = `FROM (${left()} UNION ALL ${left('', `id <> 'e3'`, DAYS[1])}) ORDER BY md5(id)`;
    expect(await judged(both)).toMatchObject({ kind: 'agrees', agreement: { rows: 79 } });
    const whole = `SELECT 9007199254740993 + i AS id, DATE '${DAYS[0]}' AS day, (i / 100)::FLOAT AS probability FROM range(40) AS t(i)`;
    expect(await judged(whole, 'BIGINT')).toMatchObject({ kind: 'agrees', agreement: { rows: 40 } });
  });

  it('are refused where the ONNX file predicts otherwise, with the row', async () => {
    const one = `REPLACE (CASE WHEN id = 'e7' THEN 0.9 ELSE probability END AS probability)`;
    expect(await judged(left(one))).toMatchObject({
      refusal: {
        found: expect.stringMatching(/^40 rows compared, the greatest difference is 0\.830 for id e7 of 2001-02-01/),
      },
    });
  });

  it.each([
    ['lacks its column', left('EXCLUDE (probability)'), 'column probability is missing'],
    ['has text for a day', left(`REPLACE (CAST(day AS VARCHAR) AS day)`), 'column day is VARCHAR, declared DATE'],
    ['has another type of id', left('REPLACE (7 AS id)'), 'column id is INTEGER, declared VARCHAR'],
    ['has a NaN', left(`REPLACE ('NaN'::DOUBLE AS probability)`, `id = 'e1'`), 'probability of e1 is NaN'],
    ['has a null', left('REPLACE (NULL::DOUBLE AS probability)', `id = 'e1'`), 'probability of e1 is null'],
    ['has an unknown id', left(`REPLACE (id || 'x' AS id)`), '40 of 40 rows were not trained on, such as id e0x'],
    ['has no id', left('REPLACE (NULL::VARCHAR AS id)', `id = 'e1'`), 'such as id NULL of day 2001-02-01'],
    ['has a day without rows', left('', 'true', '1999-01-01'), 'such as id e0 of day 1999-01-01'],
    ['has no row', left('', 'false'), 'has 0 rows'],
    ['has too many rows', `SELECT t.* FROM range(30), (${left()}) AS t`, 'has 1001 rows'],
  ])('are refused where the file %s', async (_, select, found) => {
    expect(await judged(select)).toMatchObject({
      kind: 'refused',
      refusal: { found: expect.stringContaining(found), remedy: expect.stringContaining('leave it out') },
    });
  });

  it('are refused where the file is no Parquet', async () => {
    await writeFile(path('bad.parquet'), 'id,day,probability');
    expect(await judged(path('bad.parquet'))).toMatchObject({
      refusal: { rule: 'trainer-predictions-readable', found: expect.stringContaining('predictions.parquet') },
    });
  });
});
