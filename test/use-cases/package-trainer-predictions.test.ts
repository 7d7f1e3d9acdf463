import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { constantModel } from '#adapters/onnx/constant-model.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import type { Scoring } from '#ports/scoring.ts';
import { RUN, dev, packaged, begin } from './_package-candidates.ts';

beforeEach(begin);

describe('what training leaves', () => {
  describe('beside the predictions of its trainer', () => {
    const rowOf = (probability: number, day = '2001-01-03') =>
      `SELECT 'row-7' AS id, DATE '${day}' AS day, ${probability}::DOUBLE AS probability`;
    /** What comes of an ONNX file that predicts 0.1 of the one row that there is, and of the predictions that were left. */
    const comparedWith = async (left: Readonly<Record<string, string>>) => {
      const folder = await mkdtemp(join(tmpdir(), 'gatehouse-predictions-'));
      const parquet = (select: string) =>
        withDatabase('512MB', async (connection) => {
          await connection.run(`COPY (${select}) TO ${literal(join(folder, 'it.parquet'))} (FORMAT parquet)`);
          return readFile(join(folder, 'it.parquet'));
        });
      try {
        const rows = await parquet(
          `SELECT 'row-7' AS id, DATE '2001-01-03' AS day, 1::FLOAT AS x, 2::FLOAT AS y, 0 AS bad`,
        );
        const files: Record<string, Uint8Array> = { 'model.onnx': constantModel({ baseRate: 0.1, features: 2 }) };
        for (const [name, select] of Object.entries(left)) files[name] = await parquet(select);
        const scoring: Scoring = {
          ...dev.scoring,
          inspect: (onnx, features) => onnxScoring.inspect(onnx, features),
          predictAgain: (onnx, definition, given) => onnxScoring.predictAgain(onnx, definition, given),
        };
        const stored = (key: string) => (key === `runs/${RUN}/all/train/train-2001-01-03.parquet` ? rows : undefined);
        return await packaged(files, undefined, { scoring, stored });
      } finally {
        await rm(folder, { recursive: true });
      }
    };

    it('becomes a candidate that says how many rows agree', async () => {
      const { candidates, reasons } = await comparedWith({ 'predictions.parquet': rowOf(0.1) });
      expect(reasons).toEqual([]);
      expect(candidates).toMatchObject([
        { window: 'all', agreement: { rows: 1, greatestDifference: expect.closeTo(0, 7) } },
      ]);
    });

    it('becomes a candidate that says that nobody compared them', async () => {
      expect((await comparedWith({})).candidates).toMatchObject([{ window: 'all', agreement: null }]);
    });

    it.each([
      [
        'predicts otherwise',
        rowOf(0.2),
        /1 rows compared, the greatest difference is 0\.100 for id row-7 of 2001-01-03/,
      ],
      ['is of a day that was not trained on', rowOf(0.1, '1999-01-03'), /such as id row-7 of day 1999-01-03/],
      ['is of a day whose rows are gone', rowOf(0.1, '2001-01-04'), /such as id row-7 of day 2001-01-04/],
      ['has no probability', `SELECT 'row-7' AS id, DATE '2001-01-03' AS day`, /column probability is missing/],
    ])('is refused by its window where the trainer %s, and the baseline is made', async (_, select, reason) => {
      const { candidates, baseline, reasons } = await comparedWith({ 'predictions.parquet': select });
      expect(candidates).toEqual([]);
      expect(baseline).not.toBeNull();
      expect(reasons).toEqual([expect.stringMatching(reason)]);
      expect(reasons[0]).toMatch(/^all: /);
    });
  });
});
