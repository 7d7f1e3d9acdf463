import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import type { ScoringFiles } from '#ports/scoring.ts';
import { compileModel } from '#model/compile.ts';
import { join } from 'node:path';
import { workspace } from '../duckdb/_fixture.ts';
import { echoModel } from './_models.ts';

const { path, parquet } = workspace();
const flights = await compileModel(join(import.meta.dirname, '../../../models/flight-delay'));
const definition = {
  ...flights,
  events: { ...flights.events, id: 'id', columns: { id: 'VARCHAR' as const } },
  features: { ...flights.features, columns: ['a', 'b', 'c'] },
};
const ROWS =
  "SELECT 'row-' || i AS id, 0.5::FLOAT AS a, (i / 100)::FLOAT AS b, CASE WHEN i % 10 > 0 THEN i::FLOAT END AS c FROM range(40) AS t(i)";

/** Scores some files by the model that says what its features say. */
async function score(files: ScoringFiles, model = echoModel()) {
  const result = await onnxScoring.withModel(model, definition, (loaded) => loaded.score(files));
  return result.kind === 'done' ? result.value : result;
}

describe('scoring a feature partition', () => {
  it('writes the predictions in the order of the row ids, the same bytes whatever the order of the features', async () => {
    const first = await score({ features: await parquet('f.parquet', ROWS), out: path('p.parquet') });
    expect(first).toMatchObject({ kind: 'built', rows: 40 });
    const rows = await withDatabase('512MB', (connection) => rowsOf(connection, `FROM '${path('p.parquet')}'`));
    expect(rows.slice(0, 3)).toEqual([
      { row_id: 'row-0', prediction: 0 },
      { row_id: 'row-1', prediction: Math.fround(0.01) },
      { row_id: 'row-10', prediction: Math.fround(0.1) },
    ]);
    expect(
      await score({ features: await parquet('g.parquet', `${ROWS} ORDER BY i DESC`), out: path('q.parquet') }),
    ).toEqual(first);
  });

  it('refuses a partition that is corrupt, lacks a feature, or leads to no probability', async () => {
    await writeFile(path('bad.parquet'), 'PAR1 no Parquet PAR1');
    const of = (features: string) => score({ features, out: path('p.parquet') });
    expect(await of(path('bad.parquet'))).toMatchObject({
      kind: 'refused',
      refusal: { rule: 'source files are readable Parquet' },
    });
    expect(await of(await parquet('h.parquet', `SELECT * EXCLUDE (b) FROM (${ROWS})`))).toMatchObject({
      refusal: { found: 'feature partition: column b is missing' },
    });
    expect(await of(await parquet('h.parquet', `SELECT * REPLACE (NULL::FLOAT AS b) FROM (${ROWS})`))).toMatchObject({
      refusal: { found: expect.stringContaining('40 of 40') },
    });
    await expect(of(path('none.parquet'))).rejects.toThrow('ENOENT');
  });

  it('keeps golden predictions of twenty rows, some with missing values, and checks them', async () => {
    const features = await parquet('f.parquet', ROWS);
    const golden = await onnxScoring.makeGolden(echoModel(), definition, features);
    const parsed: { rows: (number | null)[][] } = JSON.parse(golden);
    expect(parsed.rows).toHaveLength(20);
    expect(parsed.rows.filter((row) => row.includes(null))).toHaveLength(4);
    expect(await onnxScoring.makeGolden(echoModel(), definition, features)).toBe(golden);
    expect(await onnxScoring.checkGolden(echoModel(), definition, golden)).toBeUndefined();
    const constant = onnxScoring.constantModel(0.5, ['a', 'b', 'c']);
    expect(await onnxScoring.checkGolden(constant, definition, golden)).toMatch(
      /golden predictions reproduce: row \d+ gives 0\.5/,
    );
    await expect(onnxScoring.checkGolden(constant, definition, `${golden} `)).rejects.toThrow(
      'golden.json is not canonical JSON',
    );
  });

  it('says in words why a model is not let in', () => {
    expect(onnxScoring.inspect(echoModel(), ['a', 'b', 'c'])).toBeUndefined();
    expect(onnxScoring.inspect(echoModel(), ['a', 'b'])).toMatch(
      /model has one input of the features: features: FLOAT \[rows, 3\]; export with one input/,
    );
  });
});

describe('explaining a model', () => {
  it('says how far predictions move when a feature is shuffled, and nothing of those that it does not read', async () => {
    // The model answers what b says; a and c move nothing.
    const features = [
      await parquet('e.parquet', ROWS),
      await parquet('d.parquet', ROWS.replace('range(40)', 'range(99)')),
    ];
    const explain = (files: readonly string[]) =>
      onnxScoring.withModel(echoModel(), definition, (loaded) => loaded.explain(files));
    const first = await explain(features);
    expect(first).toEqual(await explain(features));
    if (first.kind === 'refused' || first.value.kind === 'refused') throw new Error(JSON.stringify(first));
    const { importances } = first.value;
    expect(importances).toMatchObject({ rows: 139, repeats: 5 });
    const [a, b, c] = importances.features;
    expect([a?.change, c?.change]).toEqual([0, 0]);
    expect(b?.change).toBeGreaterThan(0.5);
    expect(b?.lowest).toBeLessThanOrEqual(b?.change ?? 0);
    expect(b?.highest).toBeGreaterThanOrEqual(b?.change ?? 0);
  });

  it('is refused where there is nothing to explain it on', async () => {
    const none = await parquet('n.parquet', `${ROWS} WHERE i < 0`);
    const found = await onnxScoring.withModel(echoModel(), definition, (loaded) => loaded.explain([none]));
    expect(found).toMatchObject({ value: { kind: 'refused', refusal: { found: 'the partitions have no row' } } });
  });
});
