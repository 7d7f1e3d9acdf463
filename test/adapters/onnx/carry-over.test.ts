import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partRows } from '#adapters/onnx/carry-over.ts';
import { createScorer } from '#adapters/onnx/scorer.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { compileModel } from '#model/compile.ts';
import { workspace } from '../duckdb/_fixture.ts';
import { echoModel } from './_models.ts';

const { path, parquet } = workspace();
const flights = await compileModel(join(import.meta.dirname, '../../../models/flight-delay'));
const definition = {
  ...flights,
  events: { ...flights.events, id: 'id', entity: 'who', columns: { id: 'VARCHAR' as const, who: 'VARCHAR' as const } },
  features: { ...flights.features, columns: ['a', 'b', 'c'] },
};

const rowsOf = (rows: readonly (readonly [string, number, number])[]) => ({
  count: rows.length,
  ids: rows.map(([id]) => id),
  values: new Float32Array(rows.flatMap(([, x, y]) => [x, y])),
});

describe('parting rows', () => {
  const earlier = {
    rows: rowsOf([
      ['a', 1, 2],
      ['b', 1, Number.NaN],
      ['c', 0, 2],
      ['gone', 3, 3],
    ]),
    predictions: new Map([
      ['a', 0.1],
      ['b', 0.2],
      ['c', 0.3],
      ['gone', 0.4],
    ]),
  };

  it('carries over what is the same bits, in whatever order, and scores what changed or is new', () => {
    const now = rowsOf([
      ['new', 1, 2],
      ['b', 1, Number.NaN],
      ['a', 1, 2.5],
      ['c', -0, 2],
    ]);
    const { predictions, carried, checked, toScore, dropped } = partRows(now, earlier);
    expect([...predictions]).toEqual([0, 0.2, 0, 0]);
    expect({ carried, dropped, checked: [...checked], toScore }).toEqual({
      carried: 1,
      dropped: 1,
      checked: [1],
      toScore: [0, 1, 2, 3],
    });
  });

  it('scores a row that the earlier features have and the earlier predictions lack', () => {
    const lacking = { ...earlier, predictions: new Map([['b', 0.2]]) };
    expect(partRows(rowsOf([['a', 1, 2]]), lacking)).toMatchObject({ carried: 0, toScore: [0] });
  });

  it('checks at most sixty-four carried rows, spread over all of them', () => {
    const many = Array.from({ length: 1000 }, (_, index): [string, number, number] => [`r${index}`, index, 0]);
    const predictions = new Map(many.map(([id]) => [id, 0.5]));
    const { checked, carried, toScore } = partRows(rowsOf(many), { rows: rowsOf(many), predictions });
    expect({ carried, checked: checked.size, scored: toScore.length }).toEqual({
      carried: 1000,
      checked: 64,
      scored: 64,
    });
    expect(Math.max(...checked)).toBeGreaterThan(900);
  });
});

describe('scoring with an earlier partition', () => {
  const SOURCE = (rows: string): string =>
    `SELECT 'row-' || i AS id, 'who-' || (i % 3) AS who, 0.5::FLOAT AS a, (v / 1000.0)::FLOAT AS b, CASE WHEN i % 10 > 0 THEN i::FLOAT END AS c FROM (${rows}) AS t(i, v)`;
  const values = (entries: readonly (readonly [number, number])[]): string =>
    SOURCE(
      entries.length === 0 ? 'SELECT 0, 0 LIMIT 0' : `VALUES ${entries.map(([i, v]) => `(${i}, ${v})`).join(', ')}`,
    );

  it('makes the bytes of a scoring from scratch, whatever was changed, added or deleted', async () => {
    const entries = fc.uniqueArray(fc.tuple(fc.nat(30), fc.nat(999)), {
      selector: ([id]) => id,
      minLength: 1,
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(entries, entries, async (before, after) => {
        const old = { features: await parquet('old.parquet', values(before)), predictions: path('old-p.parquet') };
        const features = await parquet('new.parquet', values(after));
        const result = await onnxScoring.withModel(echoModel(), definition, async (model) => {
          await model.score({ features: old.features, out: old.predictions });
          const carried = await model.score({ features, out: path('carried.parquet'), previous: old });
          const scratch = await model.score({ features, out: path('scratch.parquet') });
          return { carried, scratch };
        });
        if (result.kind === 'refused') throw new Error(result.refusal.found);
        const { carried, scratch } = result.value;
        const same = after.filter(([id, value]) => before.some(([of, was]) => of === id && was === value)).length;
        const gone = before.filter(([id]) => after.every(([of]) => of !== id)).length;
        expect(carried).toEqual({ ...scratch, carried: same, dropped: gone });
        expect((await readFile(path('carried.parquet'))).equals(await readFile(path('scratch.parquet')))).toBe(true);
      }),
      { numRuns: 30, seed: 7 },
    );
  });

  it('scores everything when a carried row would be scored otherwise now', async () => {
    const rows = values([
      [1, 100],
      [2, 200],
    ]);
    const features = await parquet('same.parquet', rows);
    const wrong = await parquet(
      'wrong.parquet',
      `SELECT 'row-1' AS row_id, 0.9 AS prediction UNION ALL SELECT 'row-2', 0.2`,
    );
    const result = await onnxScoring.withModel(echoModel(), definition, (model) =>
      model.score({ features, out: path('out.parquet'), previous: { features, predictions: wrong } }),
    );
    expect(result).toMatchObject({ kind: 'done', value: { kind: 'built', rows: 2, carried: 0 } });
  });

  it('scores everything when the earlier partition is no such partition', async () => {
    const features = await parquet('f.parquet', values([[1, 100]]));
    const other = await parquet('other.parquet', 'SELECT 1 AS nothing');
    const result = await onnxScoring.withModel(echoModel(), definition, (model) =>
      model.score({ features, out: path('out.parquet'), previous: { features: other, predictions: other } }),
    );
    expect(result).toMatchObject({ kind: 'done', value: { kind: 'built', rows: 1, carried: 0 } });
  });
});

it('scores a row alike in any company, as carrying over supposes', async () => {
  const created = await createScorer(echoModel(), ['a', 'b', 'c']);
  if (created.kind === 'refused') throw new Error(created.refusal.found);
  const { scorer } = created;
  const all = new Float32Array([0.5, 0.25, 1, 0.5, 0.125, Number.NaN, 0.25, 0.75, -0]);
  const together = await scorer.score(all, 3);
  for (let row = 0; row < 3; row += 1) {
    const alone = await scorer.score(all.subarray(row * 3, row * 3 + 3), 1);
    if (together.kind === 'refused' || alone.kind === 'refused') throw new Error('the model is scored');
    expect(alone.predictions[0]).toBe(together.predictions[row]);
  }
  await scorer.close();
});
