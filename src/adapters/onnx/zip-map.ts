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

/**
 * A model without the maps of class to probability that exporters put around its last tensor: that tensor is the output
 * instead, and the numbers are the same. Bytes without such a map, and what is no model, are as they were given.
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
    ({ opType, domain, output: [output = ''] }) =>
      opType === 'ZipMap' && domain === 'ai.onnx.ml' && outputs.has(output) && !used.has(output),
  );
  if (maps.length === 0) return bytes;
  graph.node = graph.node.filter((node) => !maps.includes(node));
  graph.output = graph.output.map((output) => {
    const map = maps.find((node) => node.output[0] === output.name);
    return map === undefined ? output : tensorOf(map);
  });
  return toBinary(ModelProtoSchema, model);
}

/** What a map was made of: a row of 32-bit floats for each row, one for each class. */
function tensorOf({ input: [name = ''], attribute }: NodeProto): ValueInfoProto {
  const classes = Math.max(...attribute.map(({ ints, strings }) => Math.max(ints.length, strings.length)));
  const dimension = (value: { case: 'dimParam'; value: string } | { case: 'dimValue'; value: bigint }) =>
    create(TensorShapeProto_DimensionSchema, { value });
  const shape = create(TensorShapeProtoSchema, {
    dim: [dimension({ case: 'dimParam', value: 'rows' }), dimension({ case: 'dimValue', value: BigInt(classes) })],
  });
  const value = create(TypeProto_TensorSchema, { elemType: TensorProto_DataType.FLOAT, shape });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value } }),
  });
}
