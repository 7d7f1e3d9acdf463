import { create } from '@bufbuild/protobuf';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { artifactScan } from '#adapters/onnx/artifact-scan.ts';
import { AttributeProtoSchema, type ModelProto, TensorProto_DataLocation } from '#adapters/onnx/generated/onnx_pb.js';
import { withoutZipMap } from '#adapters/onnx/zip-map.ts';
import { MAX_MODEL_BYTES, scanFinding } from '#domain/release-tests/artifact-rules.ts';
import { changed } from './_models.ts';

const EXPORTS = join(import.meta.dirname, 'exports');
/** What these libraries cannot export with operators of the allow-list. */
const REFUSED = ['sklearn-knn', 'sklearn-knn-cdist', 'sklearn-gaussian-process'];
const names = readdirSync(EXPORTS).flatMap((file) => (file.endsWith('.onnx') ? [file.slice(0, -5)] : []));
const brokenIn = (model: Uint8Array) =>
  artifactScan.checkModel(model).flatMap(({ rule, problem }) => (problem === null ? [] : [`${rule}: ${problem}`]));

/** The weights of a model, for a test to change. */
function rates({ graph }: ModelProto) {
  const found = graph?.initializer.find(({ name }) => name === 'rates');
  if (found === undefined) throw new Error('the model has no rates');
  return found;
}

describe('the rules for model files', () => {
  it.each(names)('are fulfilled by what a library exports, unless it has operators of its own: %s', (name) => {
    const broken = brokenIn(withoutZipMap(readFileSync(join(EXPORTS, `${name}.onnx`))));
    if (REFUSED.includes(name)) expect(broken.join()).toMatch(/^onnx-operators: /);
    else expect(broken).toEqual([]);
  });

  it('are six, of a model that can be read', () => {
    const checks = artifactScan.checkModel(changed(() => undefined));
    expect(checks.map(({ rule }) => rule)).toEqual([
      'model-size',
      'onnx-readable',
      'onnx-operators',
      'onnx-one-file',
      'onnx-opsets',
      'onnx-finite',
    ]);
    expect(scanFinding(checks)).toMatchObject({ tool: 'artifact', checked: 6, open: [], more: 0 });
  });

  const learned = (values: readonly number[]) =>
    changed(({ graph }) => {
      graph?.node[0]?.attribute.push(create(AttributeProtoSchema, { name: 'coefficients', floats: [...values] }));
    });
  const raw = (dataType: number, bytes: ArrayBuffer) =>
    changed((model) => {
      Object.assign(rates(model), { floatData: [], dataType, rawData: new Uint8Array(bytes) });
    });
  it.each<[string, Uint8Array, RegExp]>([
    ['text', new TextEncoder().encode('no model'), /^onnx-readable: /],
    ['nothing', new Uint8Array(), /^onnx-readable: no graph/],
    ['a weight that is NaN', changed((model) => void (rates(model).floatData = [Number.NaN, 0])), /rates has NaN at 0/],
    [
      'an infinite weight',
      changed((model) => void (rates(model).floatData = [0, -Infinity])),
      /^onnx-finite: initializer rates has -Infinity at 1/,
    ],
    ['raw floats', raw(1, Float32Array.of(0, Number.NaN).buffer), /rates has NaN at 1/],
    ['raw doubles', raw(11, Float64Array.of(0, Infinity).buffer), /rates has Infinity at 1/],
    ['raw halves', raw(10, Uint16Array.of(0x3c00, 0x7c00).buffer), /rates has Infinity at 1/],
    ['raw bfloats', raw(16, Uint16Array.of(0x3f80, 0x7fc0).buffer), /rates has NaN at 1/],
    [
      'a constant that is NaN',
      changed(({ graph }) => {
        const [node] = graph?.node ?? [];
        if (node === undefined) throw new Error('the model has no node');
        node.opType = 'Constant';
        node.attribute.push(create(AttributeProtoSchema, { name: 'value_floats', floats: [1, Number.NaN] }));
      }),
      /^onnx-finite: value_floats of Constant has NaN at/,
    ],
    ['learned coefficients', learned([1, Number.NaN]), /coefficients of Shape has NaN at 1/],
    [
      'an operator set that is too new',
      changed(({ opsetImport: [first] }) => void (first && (first.version = 99n))),
      /^onnx-opsets: operator set ai\.onnx 99, versions 7 to 23/,
    ],
    [
      'an operator that runs code',
      changed(({ graph }) => void (graph?.node[0] && (graph.node[0].opType = 'Loop'))),
      /^onnx-operators: .*operator :Loop/,
    ],
    [
      'data outside of the file',
      changed((model) => void (rates(model).dataLocation = TensorProto_DataLocation.EXTERNAL)),
      /onnx-one-file: .*tensor rates has external data/,
    ],
  ])('are broken by %s', (_, model, found) => {
    const broken = brokenIn(model);
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatch(found);
  });

  it('are not looked at in a file that is too large', () => {
    const large = Object.defineProperty(new Uint8Array(), 'length', { value: MAX_MODEL_BYTES + 1 });
    expect(brokenIn(large)).toEqual([`model-size: ${MAX_MODEL_BYTES + 1} bytes, at most ${MAX_MODEL_BYTES}`]);
  });
});

it('feature SQL is checked against the allow-list, each file by itself', async () => {
  const [daily, features] = await artifactScan.checkSql({
    daily: "SELECT * FROM read_csv('/etc/passwd')",
    features: 'SELECT id FROM events',
  });
  expect(daily).toMatchObject({ rule: 'feature-sql', file: 'features/daily.sql' });
  expect(daily?.problem).toMatch(/feature-sql-allowed: table function read_csv/);
  expect(features).toEqual({ rule: 'feature-sql', file: 'features/features.sql', problem: null });
});
