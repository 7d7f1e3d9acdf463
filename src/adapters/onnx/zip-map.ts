import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  TensorProto_DataType,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx_pb.js';

/** The labels of a map whose last number is the probability of a label of 1. */
const CLASSES = ['0,1', 'False,True', 'false,true'];

/**
 * A model without the maps of class to probability that exporters put around its last tensor: that tensor is the output
 * instead, and the numbers are the same. Bytes without such a map, or with one of other classes, and what is no model, are as
 * they were given.
 * Source: https://onnx.ai/onnx/operators/onnx_aionnxml_ZipMap.html
 */
export function withoutZipMap(bytes: Uint8Array): Uint8Array {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch {
    return bytes;
  }
  const { graph } = model;
  if (graph === undefined) return bytes;
  const outputs = new Set(graph.output.map(({ name }) => name));
  const used = new Set(graph.node.flatMap(({ input }) => input));
  const maps = graph.node.filter(
    ({ opType, domain, output: [output = ''], attribute }) =>
      opType === 'ZipMap' &&
      domain === 'ai.onnx.ml' &&
      outputs.has(output) &&
      !used.has(output) &&
      attribute.some(({ ints, strings }) => CLASSES.includes([...ints, ...strings.map(textOf)].join(','))),
  );
  if (maps.length === 0) return bytes;
  graph.node = graph.node.filter((node) => !maps.includes(node));
  graph.output = graph.output.map((output) => {
    const map = maps.find((node) => node.output[0] === output.name);
    return map === undefined ? output : tensorOf(map);
  });
  return toBinary(ModelProtoSchema, model);
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What a map was made of: a row of 32-bit floats for each row, one for each of the two classes. */
function tensorOf({ input: [name = ''] }: NodeProto): ValueInfoProto {
  const dimension = (value: { case: 'dimParam'; value: string } | { case: 'dimValue'; value: bigint }) =>
    create(TensorShapeProto_DimensionSchema, { value });
  const shape = create(TensorShapeProtoSchema, {
    dim: [dimension({ case: 'dimParam', value: 'rows' }), dimension({ case: 'dimValue', value: 2n })],
  });
  const value = create(TypeProto_TensorSchema, { elemType: TensorProto_DataType.FLOAT, shape });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value } }),
  });
}
