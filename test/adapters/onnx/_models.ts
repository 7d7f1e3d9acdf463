import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { constantModel } from '#adapters/onnx/constant-model.ts';
import type { RuleId } from '#domain/refusal/refusal.ts';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType,
  FunctionProtoSchema,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
} from '#adapters/onnx/generated/onnx_pb.js';

/** The bytes of a model of three features after something was done to it. */
export function changed(
  change: (model: ModelProto) => void,
  model = constantModel({ baseRate: 0.25, features: 3 }),
): Uint8Array {
  const parsed = fromBinary(ModelProtoSchema, model);
  change(parsed);
  return toBinary(ModelProtoSchema, parsed);
}

/** A model whose probabilities are the first two of its features, so that a test decides what is predicted. */
export function echoModel(): Uint8Array {
  return gathering([0n, 1n]);
}

/** A model whose probabilities are two of its features. */
export function gathering(features: readonly [bigint, bigint]): Uint8Array {
  return changed((model) => {
    if (model.graph === undefined) return;
    const axis = create(AttributeProtoSchema, { name: 'axis', type: AttributeProto_AttributeType.INT, i: 1n });
    const [classes] = model.graph.initializer;
    if (classes !== undefined) classes.dims = [2n];
    if (classes !== undefined) classes.int64Data = [...features];
    model.graph.node = [
      create(NodeProtoSchema, {
        opType: 'Gather',
        input: ['features', 'classes'],
        output: ['probabilities'],
        attribute: [axis],
      }),
    ];
  });
}

/** Models that must not be promoted, each with what is found in it. */
export const FOREIGN: readonly (readonly [string, Uint8Array, RegExp, RuleId])[] = [
  ['text', new TextEncoder().encode('this is no model at all'), /.+/, 'onnx-valid'],
  ['nothing', new Uint8Array(), /no graph/, 'onnx-valid'],
  [
    'a pickle',
    Uint8Array.of(0x80, 0x04, 0x95, 0x1a, 0, 0, 0, 0, 0, 0, 0, 0x8c, 0x05, 0x70, 0x6f, 0x73, 0x69, 0x78),
    /.+/,
    'onnx-valid',
  ],
  ['a truncated model', constantModel({ baseRate: 0.25, features: 3 }).slice(0, -20), /.+/, 'onnx-valid'],
  [
    'an operator domain of its own',
    changed((model) =>
      model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'com.example', version: 1n })),
    ),
    /operator domain com\.example/,
    'onnx-operators',
  ],
  [
    'an operator of another domain',
    changed((model) => model.graph?.node.push(create(NodeProtoSchema, { opType: 'Run', domain: 'com.example' }))),
    /operator com\.example:Run/,
    'onnx-operators',
  ],
  [
    'an operator that is not listed',
    changed((model) => model.graph?.node.push(create(NodeProtoSchema, { opType: 'RandomNormal', output: ['x'] }))),
    /operator :RandomNormal/,
    'onnx-operators',
  ],
  [
    'control flow',
    changed((model) => model.graph?.node.push(create(NodeProtoSchema, { opType: 'If', output: ['x'] }))),
    /operator :If/,
    'onnx-operators',
  ],
  [
    'a graph within an allowed operator',
    changed((model) =>
      model.graph?.node[0]?.attribute.push(
        create(AttributeProtoSchema, {
          name: 'body',
          type: AttributeProto_AttributeType.GRAPH,
          g: create(GraphProtoSchema, {}),
        }),
      ),
    ),
    /a graph in attribute body of Shape/,
    'onnx-operators',
  ],
  [
    'a function of its own',
    changed((model) => model.functions.push(create(FunctionProtoSchema, { name: 'Hidden' }))),
    /function Hidden/,
    'onnx-operators',
  ],
  [
    'external data',
    changed((model) => {
      const [, rates] = model.graph?.initializer ?? [];
      if (rates === undefined) return;
      rates.floatData = [];
      rates.dataLocation = TensorProto_DataLocation.EXTERNAL;
      rates.externalData = [create(StringStringEntryProtoSchema, { key: 'location', value: '../../etc/passwd' })];
    }),
    /tensor rates has external data location=\.\.\/\.\.\/etc\/passwd/,
    'onnx-one-file',
  ],
  [
    'another number of features',
    constantModel({ baseRate: 0.25, features: 4 }),
    /features: FLOAT \[rows, 4\]/,
    'onnx-input',
  ],
  [
    'two inputs',
    changed((model) => {
      const [input] = model.graph?.input ?? [];
      if (input !== undefined) model.graph?.input.push({ ...input, name: 'second' });
    }),
    /features: FLOAT \[rows, 3\], second: FLOAT \[rows, 3\]/,
    'onnx-input',
  ],
  [
    'no probabilities',
    changed((model) => {
      model.graph?.output.splice(0, 1, ...model.graph.input);
    }),
    /0 outputs of probabilities/,
    'onnx-output',
  ],
];
