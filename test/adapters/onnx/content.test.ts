import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { constantModel } from '#adapters/onnx/constant-model.ts';
import { contentDigest } from '#adapters/onnx/content.ts';
import { type ModelProto, ModelProtoSchema } from '#adapters/onnx/generated/onnx_pb.js';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { changed } from './_models.ts';

const model = constantModel({ baseRate: 0.25, features: 3 });
const definition = { features: { columns: ['a', 'b', 'c'] } } as unknown as ModelDefinition;
const golden = (prediction: number) =>
  JSON.stringify({
    columns: ['a', 'b', 'c'],
    formatVersion: 1,
    predictions: [prediction, prediction],
    rows: [
      [1, 2, 3],
      [4, null, 6],
    ],
  });
const renamed = (all: ModelProto): void => {
  const { graph } = all;
  if (graph === undefined) return;
  const other = (name: string): string => (name === '' ? '' : `${name}_7f3a`);
  graph.name = '9c1d';
  all.producerVersion = '99';
  all.docString = 'trained on Tuesday';
  for (const value of [...graph.input, ...graph.output, ...graph.initializer]) value.name = other(value.name);
  for (const node of graph.node) {
    node.name = other(node.opType);
    node.input = node.input.map(other);
    node.output = node.output.map(other);
  }
  graph.initializer.reverse();
};

describe('the content of a model', () => {
  it('is the same under other names and descriptions, and in another order of weights', () => {
    const other = changed(renamed, model);
    expect(other).not.toEqual(model);
    expect(contentDigest(other)).toBe(contentDigest(model));
  });

  it.each<[string, (all: ModelProto) => void]>([
    [
      'a weight',
      (all) => {
        for (const weights of all.graph?.initializer ?? []) weights.floatData = weights.floatData.toReversed();
      },
    ],
    ['an operator', (all) => void Object.assign(all.graph?.node[0] ?? {}, { opType: 'Abs' })],
    ['a version of the operators', (all) => void Object.assign(all.opsetImport[0] ?? {}, { version: 1n })],
    [
      'what an operator is given',
      (all) => {
        for (const node of all.graph?.node ?? []) node.input = node.input.toReversed();
      },
    ],
  ])('is another with %s changed', (_, change) => {
    const other = changed(change, model);
    expect(fromBinary(ModelProtoSchema, other)).not.toEqual(fromBinary(ModelProtoSchema, model));
    expect(contentDigest(other)).not.toBe(contentDigest(model));
  });

  it('is the same where it predicts the same for the golden rows of the other, within rounding', async () => {
    const near = constantModel({ baseRate: 0.25 + 1e-7, features: 3 });
    expect(contentDigest(near)).not.toBe(contentDigest(model));
    const same = (of: Uint8Array, prediction: number) =>
      onnxScoring.sameAs(of, definition, { model, golden: golden(prediction) });
    expect(await same(changed(renamed, model), 0.25)).toMatch(/same operators and weights/);
    expect(await same(near, 0.25)).toBe('it predicts the same for all 2 golden rows');
    expect(await same(constantModel({ baseRate: 0.26, features: 3 }), 0.25)).toBeUndefined();
    // Of other columns, it is another model.
    expect(
      await onnxScoring.sameAs(
        constantModel({ baseRate: 0.25, features: 2 }),
        { features: { columns: ['a', 'b'] } } as unknown as ModelDefinition,
        { model, golden: golden(0.25) },
      ),
    ).toBeUndefined();
  });
});
