import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { withoutZipMap } from '#adapters/onnx/zip-map.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { compileModel } from '#model/compile.ts';
import type { OpenModel } from '#ports/scoring.ts';
import { workspace } from '../duckdb/_fixture.ts';
import { echoModel } from './_models.ts';

const FOLDER = join(import.meta.dirname, 'exports');
const { rows, predictions } = z
  .object({ rows: z.array(z.array(z.number())), predictions: z.record(z.string(), z.array(z.number())) })
  .parse(JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')));
/** Files that no switch of their exporter makes loadable, and one whose graph is wrong: it lets rows depend on the rows beside them. */
const OTHERS = ['sklearn-knn', 'sklearn-knn-cdist', 'sklearn-gaussian-process', 'sklearn-lda'];
const { path, parquet } = workspace();
const flights = await compileModel(join(import.meta.dirname, '../../../models/flight-delay'));
const definition: ModelDefinition = {
  ...flights,
  events: { ...flights.events, id: 'id', columns: { id: 'VARCHAR' } },
  features: { ...flights.features, columns: ['a', 'b', 'c', 'd'] },
};

async function opened<T>(bytes: Uint8Array, of: ModelDefinition, work: (model: OpenModel) => Promise<T>): Promise<T> {
  const result = await onnxScoring.open(bytes, of);
  if (result.kind === 'refused') throw new Error(result.refusal.found);
  try {
    return await work(result.model);
  } finally {
    await result.model.close();
  }
}

/** What a batch makes of a file of the rows, in their order. */
async function batch(bytes: Uint8Array, file: string, of: ModelDefinition): Promise<readonly unknown[]> {
  const out = path(`of-${file}`);
  const result = await onnxScoring.withModel(bytes, of, (model) => model.score({ features: path(file), out }));
  if (result.kind === 'refused' || result.value.kind === 'refused') throw new Error('not scored');
  const scored = await withDatabase('512MB', (connection) => rowsOf(connection, `FROM '${out}'`));
  return scored.map(({ prediction }) => prediction);
}

describe('a model that stays loaded', () => {
  it.each(Object.keys(predictions).filter((name) => !OTHERS.includes(name)))(
    'predicts a row by itself, and several at once, as a batch does, bit for bit: %s',
    async (name) => {
      const bytes = withoutZipMap(readFileSync(join(FOLDER, `${name}.onnx`)));
      const values = rows.map(
        (row, index) => `('${String(index).padStart(4, '0')}', ${row.join('::DOUBLE, ')}::DOUBLE)`,
      );
      await parquet(`${name}.parquet`, `FROM (VALUES ${values.join(', ')}) t(id, a, b, c, d)`);
      const expected = await batch(bytes, `${name}.parquet`, definition);
      await opened(bytes, definition, async (model) => {
        expect(await model.predict(rows)).toEqual(expected);
        const single: number[] = [];
        for (const row of rows) single.push(...(await model.predict([row])));
        expect(single).toEqual(expected);
      });
    },
  );

  it('takes a missing value, answers no row by none, and refuses what is no 32-bit float', async () => {
    const of = { ...definition, features: { ...definition.features, columns: ['a', 'b', 'c'] } };
    await opened(echoModel(), of, async (model) => {
      expect(await model.predict([])).toEqual([]);
      expect(await model.predict([[null, 0.1, null]])).toEqual([Math.fround(0.1)]);
      await expect(model.predict([[1e300, 0.1, 0]])).rejects.toMatchObject({ code: 'NOT_SCORABLE' });
      await expect(model.predict([[0, 7, 0]])).rejects.toMatchObject({
        code: 'NOT_SCORABLE',
        details: { rule: 'predictions-are-probabilities' },
      });
      await expect(model.predict([[0]])).rejects.toThrow('row 0 has 1 features, the model reads 3');
    });
  });

  it('says why bytes are no model', async () => {
    expect(await onnxScoring.open(new Uint8Array([1, 2]), definition)).toMatchObject({ kind: 'refused' });
  });
});
