import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createScorer } from '#adapters/onnx/scorer.ts';
import { withoutZipMap } from '#adapters/onnx/zip-map.ts';
import { changed } from './_models.ts';
import { TRAINER_TOLERANCE } from '#domain/model/trainer-predictions.ts';

// What libraries export, and what each predicts by itself: made by bench/exports/export.py.
const FOLDER = join(import.meta.dirname, 'exports');
const read = (name: string): Uint8Array => readFileSync(join(FOLDER, `${name}.onnx`));
const Expected = z.object({
  rows: z.array(z.array(z.number())),
  predictions: z.record(z.string(), z.array(z.number())),
});
const { rows, predictions } = Expected.parse(JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')));
const COLUMNS = ['a', 'b', 'c', 'd'];

/** Those that no switch of their exporter makes a graph of listed operators, and what is said of them. */
const REFUSED: Readonly<Record<string, readonly [found: RegExp, remedy: RegExp]>> = {
  'sklearn-knn': [/operator :Scan/, /train another learner/],
  'sklearn-knn-cdist': [/operator domain com\.microsoft/, /leave optim="cdist" out/],
  'sklearn-gaussian-process': [/operator domain com\.microsoft/, /leave optim="cdist" out/],
};

/** What its exporter translates wrongly: nobody but the trainer's own predictions can tell. */
const MISTRANSLATED = ['sklearn-lda'];
const scored = Object.keys(predictions).filter((name) => REFUSED[name] === undefined);

/** How far a file's predictions are from those of the library at most. */
async function differenceOf(name: string): Promise<number> {
  const created = await createScorer(withoutZipMap(read(name)), COLUMNS);
  if (created.kind === 'refused') throw new Error(created.refusal.found);
  try {
    const result = await created.scorer.score(Float32Array.from(rows.flat()), rows.length);
    if (result.kind === 'refused') throw new Error(result.refusal.found);
    return Math.max(
      ...(predictions[name] ?? []).map((each, row) => Math.abs(each - (result.predictions[row] ?? Number.NaN))),
    );
  } finally {
    await created.scorer.close();
  }
}

describe('what a library exports', () => {
  it.each(scored.filter((name) => !MISTRANSLATED.includes(name)))(
    'is scored as the library scores it: %s',
    async (name) => {
      expect(await differenceOf(name)).toBeLessThan(TRAINER_TOLERANCE / 10);
    },
  );

  it.each(MISTRANSLATED)('differs from the library by more than packaging allows: %s', async (name) => {
    expect(await differenceOf(name)).toBeGreaterThan(TRAINER_TOLERANCE * 10);
  });

  it.each(Object.entries(REFUSED))('is refused with what its exporter can do about it: %s', async (name, said) => {
    const created = await createScorer(withoutZipMap(read(name)), COLUMNS);
    expect(created).toMatchObject({
      kind: 'refused',
      refusal: { found: expect.stringMatching(said[0]), remedy: expect.stringMatching(said[1]) },
    });
  });
});

describe('a map of class to probability', () => {
  it('is taken off where a model ends in one, and nothing else is touched', async () => {
    const wrapped = read('lightgbm-zipmap');
    expect((await createScorer(wrapped, COLUMNS)).kind).toBe('refused');
    const unwrapped = withoutZipMap(wrapped);
    expect(withoutZipMap(unwrapped)).toBe(unwrapped);
    expect(withoutZipMap(read('lightgbm'))).toEqual(read('lightgbm'));
    // Of other classes nobody knows which is the label of 1: it stays, and is refused.
    for (const ints of [[1n, 0n], [], [0n, 1n, 2n]]) {
      const other = changed((model) => {
        const map = model.graph?.node.find(({ opType }) => opType === 'ZipMap');
        for (const attribute of map?.attribute ?? []) Object.assign(attribute, { ints, strings: [] });
      }, wrapped);
      expect(withoutZipMap(other)).toBe(other);
    }
    const text = new TextEncoder().encode('no model');
    expect(withoutZipMap(text)).toBe(text);
  });
});
