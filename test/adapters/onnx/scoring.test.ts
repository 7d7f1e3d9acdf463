import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
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
async function score(files: ScoringFiles, model = echoModel(), of: ModelDefinition = definition) {
  const result = await onnxScoring.withModel(model, of, (loaded) => loaded.score(files));
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

  it.each([
    ['has an id twice', "SELECT 'row-' || greatest(i, 1) AS id"],
    ['lacks an id in its first row', "SELECT CASE WHEN i > 0 THEN 'row-' || i END AS id"],
    ['lacks an id midway', "SELECT CASE WHEN i <> 3000 THEN 'row-' || format('{:05d}', i) END AS id"],
    ['lacks an id in its last row', "SELECT CASE WHEN i < 4999 THEN 'row-' || format('{:05d}', i) END AS id"],
    ['begins with an empty id', "SELECT CASE WHEN i > 0 THEN 'row-' || format('{:05d}', i) ELSE '' END AS id"],
    [
      'is in order but for the rows where two pieces meet',
      "SELECT 'row-' || format('{:05d}', CASE i WHEN 2047 THEN 2048 WHEN 2048 THEN 2047 ELSE i END) AS id",
    ],
    ['is in the order of its numbers, which is not that of their text', 'SELECT i AS id'],
  ])('sorts a partition that %s as the engine does', async (_, ids) => {
    const rows = `${ids}, 0.5::FLOAT AS a, (i / 5000)::FLOAT AS b, 0::FLOAT AS c FROM range(5000) AS t(i)`;
    const features = await parquet('s.parquet', rows);
    const integers = { ...definition, events: { ...definition.events, columns: { id: 'BIGINT' as const } } };
    const of = ids === 'SELECT i AS id' ? integers : definition;
    expect(await score({ features, out: path('s-p.parquet') }, echoModel(), of)).toMatchObject({ rows: 5000 });
    const [found, sorted] = await withDatabase('512MB', async (connection) => [
      await rowsOf(connection, `FROM '${path('s-p.parquet')}'`),
      await rowsOf(
        connection,
        `SELECT id::VARCHAR AS row_id, b::DOUBLE AS prediction FROM '${features}' ORDER BY row_id`,
      ),
    ]);
    expect(found).toEqual(sorted);
  });

  it('writes the same bytes of many rows, in order or not, in whatever pieces the features are', async () => {
    const of = (order: string, size: number): Promise<string> =>
      parquet(
        `${order}-${size}.parquet`,
        `SELECT 'row-' || format('{:06d}', i) AS id, 0.5::FLOAT AS a, (i % 1000 / 1000)::FLOAT AS b, NULL::FLOAT AS c FROM range(130000) AS t(i) ORDER BY i ${order}`,
        `ROW_GROUP_SIZE ${size}`,
      );
    const found = [];
    for (const features of [await of('ASC', 122_880), await of('ASC', 5000), await of('DESC', 122_880)])
      found.push(await score({ features, out: path('many.parquet') }));
    expect(found[0]).toMatchObject({ kind: 'built', rows: 130_000 });
    expect(found).toEqual([found[0], found[0], found[0]]);
  });

  it('takes ids of any name, and replaces what another scoring has written', async () => {
    const named = {
      ...definition,
      events: { ...definition.events, id: 'prediction', columns: { prediction: 'VARCHAR' as const } },
    };
    await writeFile(path('n-p.parquet'), new Uint8Array(100_000));
    const features = await parquet('n.parquet', ROWS.replace('AS id', 'AS prediction'));
    const found = await score({ features, out: path('n-p.parquet') }, echoModel(), named);
    expect(found).toEqual(await score({ features: await parquet('f.parquet', ROWS), out: path('p.parquet') }));
  });

  it('does not take a partition with a page that cannot be read for a shorter one', async () => {
    const file = await parquet(
      'page.parquet',
      "SELECT 'row-' || format('{:06d}', i) AS id, 0.5::FLOAT AS a, (hash(i) % 1000 / 1000)::FLOAT AS b, NULL::FLOAT AS c FROM range(60000) AS t(i)",
      'COMPRESSION zstd, ROW_GROUP_SIZE 20480',
    );
    const bytes = await readFile(file);
    // Within the second of three groups of rows.
    bytes.fill(0x5a, Math.floor(bytes.length * 0.5), Math.floor(bytes.length * 0.5) + 4000);
    await writeFile(file, bytes);
    await expect(score({ features: file, out: path('page-p.parquet') })).rejects.toThrow(/ZSTD|corrupt|Invalid/i);
  });

  it('refuses a partition that is corrupt, lacks a feature, or leads to no probability', async () => {
    await writeFile(path('bad.parquet'), 'PAR1 no Parquet PAR1');
    const of = (features: string) => score({ features, out: path('p.parquet') });
    expect(await of(path('bad.parquet'))).toMatchObject({
      kind: 'refused',
      refusal: { rule: 'source-files-readable' },
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
      /golden-predictions-reproduced: row \d+ gives 0\.5/,
    );
    await expect(onnxScoring.checkGolden(constant, definition, `${golden} `)).rejects.toThrow(
      'golden.json is not canonical JSON',
    );
  });

  it('says in words why a model is not promoted', () => {
    expect(onnxScoring.inspect(echoModel(), ['a', 'b', 'c'])).toBeUndefined();
    expect(onnxScoring.inspect(echoModel(), ['a', 'b'])).toMatch(
      /onnx-input: features: FLOAT \[rows, 3\]; export with one input/,
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
    expect(found).toMatchObject({
      value: { kind: 'refused', refusal: { rule: 'rows-to-explain', found: 'the partitions have no row' } },
    });
  });
});
