import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProtoSchema,
  TensorProto_DataType,
  TensorShapeProtoSchema,
  TensorShapeProto_DimensionSchema,
  TypeProtoSchema,
  TypeProto_TensorSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx_pb.js';

/**
 * The baseline: a classifier that gives every row the base rate, whatever its features. The same base rate and number
 * of features make the same bytes.
 */
export function constantModel({
  baseRate,
  features,
}: {
  readonly baseRate: number;
  readonly features: number;
}): Uint8Array {
  if (!(baseRate >= 0 && baseRate <= 1)) throw new RangeError(`base rate is ${String(baseRate)}, allowed: 0 to 1`);
  const rate = Math.fround(baseRate);
  // The shape [rows, 2] is the first dimension of the input with a 2 after it; the two probabilities are spread over it.
  const graph = create(GraphProtoSchema, {
    name: 'base-rate',
    input: [matrix('features', features)],
    output: [matrix('probabilities', 2)],
    initializer: [
      create(TensorProtoSchema, { name: 'classes', dataType: TensorProto_DataType.INT64, dims: [1n], int64Data: [2n] }),
      create(TensorProtoSchema, {
        name: 'rates',
        dataType: TensorProto_DataType.FLOAT,
        dims: [1n, 2n],
        floatData: [Math.fround(1 - rate), rate],
      }),
    ],
    node: [
      node('Shape', ['features'], 'rows', { start: 0n, end: 1n }),
      node('Concat', ['rows', 'classes'], 'shape', { axis: 0n }),
      node('Expand', ['rates', 'shape'], 'probabilities', {}),
    ],
  });
  const opsetImport = [create(OperatorSetIdProtoSchema, { domain: '', version: 21n })];
  const model = create(ModelProtoSchema, { irVersion: 10n, producerName: 'gatehouse', opsetImport, graph });
  return toBinary(ModelProtoSchema, model);
}

function matrix(name: string, columns: number): ValueInfoProto {
  const dim = [
    create(TensorShapeProto_DimensionSchema, { value: { case: 'dimParam', value: 'rows' } }),
    create(TensorShapeProto_DimensionSchema, { value: { case: 'dimValue', value: BigInt(columns) } }),
  ];
  const tensor = create(TypeProto_TensorSchema, {
    elemType: TensorProto_DataType.FLOAT,
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }),
  });
}

function node(opType: string, input: string[], output: string, integers: Readonly<Record<string, bigint>>): NodeProto {
  const attribute = Object.entries(integers).map(([name, i]) =>
    create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i }),
  );
  return create(NodeProtoSchema, { opType, input, output: [output], attribute });
}
