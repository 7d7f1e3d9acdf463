import { describe, expect, it } from 'vitest';
import { constantModel } from '#adapters/onnx/constant-model.ts';
import { checkGolden, makeGolden } from '#adapters/onnx/golden.ts';
import { inspectOnnx } from '#adapters/onnx/inspect.ts';
import { type Scorer, createScorer, runtimeVersion } from '#adapters/onnx/scorer.ts';
import { engineVersion } from '#adapters/duckdb/database.ts';
import { digestOf, digestOfJson } from '#domain/canonical/digest.ts';
import { FEATURE_ENGINE, SCORER } from '#domain/data/engines.ts';
import { FOREIGN, changed, echoModel, gathering } from './_models.ts';

const columns = ['a', 'b', 'c'];

async function scorerOf(model: Uint8Array): Promise<Scorer> {
  const created = await createScorer(model, columns);
  if (created.kind === 'refused') throw new Error(JSON.stringify(created.refusal));
  return created.scorer;
}

describe('inspectOnnx', () => {
  it('loads the baseline', () => {
    expect(inspectOnnx(constantModel({ baseRate: 0.25, features: 3 }), 3)).toEqual({
      kind: 'inspected',
      inspection: {
        irVersion: 10,
        producer: 'gatehouse',
        operators: ['Concat', 'Expand', 'Shape'],
        input: 'features',
        features: 3,
        probabilities: 'probabilities',
        classes: 2,
      },
    });
  });

  it.each(FOREIGN)('refuses %s', async (_, bytes, found, rule) => {
    const refused = { kind: 'refused', refusal: { rule, found: expect.stringMatching(found) } };
    expect(inspectOnnx(bytes, 3)).toMatchObject(refused);
    expect(await createScorer(bytes, columns)).toMatchObject(refused);
  });

  it('is followed by loading, which refuses what does not fit together', async () => {
    const broken = changed((model) => model.graph?.node.splice(1, 1));
    expect(inspectOnnx(broken, 3).kind).toBe('inspected');
    expect(await createScorer(broken, columns)).toMatchObject({ kind: 'refused', refusal: { rule: 'onnx-loads' } });
  });
});

describe('constantModel', () => {
  it('gives the base rate to every row, missing values included, and is the same bytes each time', async () => {
    const scorer = await scorerOf(constantModel({ baseRate: 0.25, features: 3 }));
    const scores = await scorer.score(Float32Array.of(1, 2, 3, Number.NaN, Number.NaN, Number.NaN), 2);
    expect(scores).toEqual({ kind: 'scored', predictions: Float64Array.of(0.25, 0.25) });
    await scorer.close();
    expect(digestOf(constantModel({ baseRate: 0.1, features: 3 }))).toBe(
      digestOf(constantModel({ baseRate: 0.1, features: 3 })),
    );
    expect(() => constantModel({ baseRate: 1.1, features: 3 })).toThrow('base rate is 1.1');
  });
});

describe('score', () => {
  it('takes the second class of each row, whatever the size of the batch', async () => {
    const scorer = await scorerOf(echoModel());
    const count = 70_000;
    const rows = Float32Array.from({ length: count * 3 }, (_, index) =>
      index % 3 === 1 ? Math.floor(index / 3) / count : 0.5,
    );
    const scores = await scorer.score(rows, count);
    expect(scores.kind === 'scored' ? [scores.predictions[0], scores.predictions[69_999]] : scores).toEqual([
      0,
      Math.fround(69_999 / count),
    ]);
    expect(await scorer.score(new Float32Array(), 0)).toEqual({ kind: 'scored', predictions: new Float64Array() });
    await expect(scorer.score(new Float32Array(4), 1)).rejects.toThrow('4 values are no 1 rows of 3 features');
    await scorer.close();
  });

  it.each([
    ['no number', Number.NaN, /1 of 2 predictions are no probability, the first is NaN in row 1/],
    ['above one', 1.5, /the first is 1\.5 in row 1/],
    ['below zero', -0.25, /the first is -0\.25 in row 1/],
    ['infinite', Infinity, /the first is Infinity in row 1/],
  ])('refuses predictions that are %s', async (_, value, found) => {
    const scorer = await scorerOf(echoModel());
    const rows = Float32Array.of(0.5, 0.5, 0.5, 0.5, value, 0.5);
    expect(await scorer.score(rows, 2)).toMatchObject({
      kind: 'refused',
      refusal: { rule: 'predictions-are-probabilities', found: expect.stringMatching(found) },
    });
    await scorer.close();
  });
});

it('refuses rows that the loaded model cannot take', async () => {
  // Its second class is a column that no row has.
  const scorer = await scorerOf(gathering([0n, 7n]));
  expect(await scorer.score(Float32Array.of(0.5, 0.5, 0.5), 1)).toMatchObject({
    kind: 'refused',
    refusal: { rule: 'onnx-scores-rows', found: expect.stringMatching(/Gather/) },
  });
  await scorer.close();
});

describe('golden predictions', () => {
  const rows = [
    [0.1, 0.2, 0.3],
    [0.5, 0.75, null],
  ];

  it('reproduce with the model that made them, and with no other', async () => {
    const scorer = await scorerOf(echoModel());
    const made = await makeGolden(scorer, rows);
    if (made.kind === 'refused') throw new Error(made.refusal.found);
    expect(made.golden.predictions).toEqual([Math.fround(0.2), 0.75]);
    const kept = JSON.parse(JSON.stringify(made.golden));
    expect(await checkGolden(scorer, kept)).toEqual({ kind: 'reproduced', rows: 2, greatestDifference: 0 });
    const other = await scorerOf(constantModel({ baseRate: 0.2, features: 3 }));
    expect(await checkGolden(other, kept)).toMatchObject({
      kind: 'refused',
      refusal: { found: expect.stringMatching(/row 1 gives 0\.2/) },
    });
    const slightly = { ...kept, predictions: [Math.fround(0.2) + 2e-6, 0.75] };
    expect(await checkGolden(scorer, slightly)).toMatchObject({
      kind: 'refused',
      refusal: { rule: 'golden-predictions-reproduced' },
    });
    expect(await checkGolden(scorer, { ...kept, columns: ['c', 'b', 'a'] })).toMatchObject({
      refusal: { found: expect.stringContaining('golden columns c, b, a') },
    });
    expect(await checkGolden(scorer, { ...kept, predictions: [0.5] })).toMatchObject({ kind: 'refused' });
    await Promise.all([scorer.close(), other.close()]);
  });
});

describe('the engines', () => {
  it('are the ones that digests name', () => {
    expect(engineVersion).toBe(FEATURE_ENGINE);
    expect(digestOfJson({ runtime: runtimeVersion, format: 1 })).toBe(SCORER);
  });
});
