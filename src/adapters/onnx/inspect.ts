import { fromBinary } from '@bufbuild/protobuf';
import { type Refusal, refusal, type Refusing } from '#domain/refusal/refusal.ts';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  type ValueInfoProto,
} from './generated/onnx_pb.js';
import { insteadOf, OPERATORS } from './operators.ts';

/** What a model file is, as far as it matters for promoting it. */
export interface OnnxInspection {
  readonly irVersion: number;
  readonly producer: string;
  readonly operators: readonly string[];
  readonly input: string;
  readonly features: number;
  /** The output with the probabilities: [rows, 2] of the two classes, or [rows] or [rows, 1] of a label of 1. */
  readonly probabilities: string;
  /** How many numbers a row has in that output; the last is the probability of a label of 1. */
  readonly classes: 1 | 2;
}

/** A result of looking at a model. */
export type Inspected =
  | { readonly kind: 'inspected'; readonly inspection: OnnxInspection }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Looks at a model's content before anything loads it: known operators only, no data outside the file, no code of its
 * own, one input of 32-bit floats [rows, features] and one output of probabilities.
 * Source: https://onnx.ai/onnx/repo-docs/IR.html
 */
export function inspectOnnx(bytes: Uint8Array, features: number): Inspected {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    return refused('onnx-valid', error instanceof Error ? error.message : String(error), 'export the model as ONNX');
  }
  const { graph } = model;
  if (graph === undefined || graph.node.length === 0 || model.opsetImport.length === 0) {
    return refused('onnx-valid', 'no graph with operators in it', 'export the model as ONNX');
  }
  const bad = contentRefusal(model, graph) ?? inputRefusal(graph, features);
  if (bad !== undefined) return { kind: 'refused', refusal: bad };
  // A classifier's pair counts before the single columns beside it.
  const pairs = graph.output.filter((output) => isFloatMatrix(output, 2));
  const outputs =
    pairs.length > 0 ? pairs : graph.output.filter((each) => isFloatMatrix(each, 1) || isFloatVector(each));
  const [output] = outputs;
  if (output === undefined || outputs.length > 1) {
    const found = `${String(outputs.length)} outputs of probabilities among ${graph.output.map(shapeOf).join(', ')}`;
    return refused(
      'onnx-output',
      found,
      'export one output of 32-bit floats: [rows, 2], or [rows, 1] with the probability of a label of 1',
    );
  }
  const operators = [...new Set(graph.node.map((node) => node.opType))].sort();
  const [input] = inputsOf(graph);
  const inspection = {
    irVersion: Number(model.irVersion),
    producer: `${model.producerName} ${model.producerVersion}`.trim(),
    operators,
    input: input?.name ?? '',
    features,
    probabilities: output.name,
    classes: pairs.length > 0 ? (2 as const) : (1 as const),
  };
  return { kind: 'inspected', inspection };
}

function contentRefusal(model: ModelProto, graph: GraphProto): Refusal | undefined {
  return operatorRefusal(model, graph) ?? outsideRefusal(graph);
}

/** The first operator, function or graph of a model that is not allowed. */
export function operatorRefusal(model: ModelProto, graph: GraphProto): Refusal | undefined {
  const rule = 'onnx-operators' as const;
  const foreign = model.opsetImport.map((opset) => opset.domain).filter((domain) => OPERATORS[domain] === undefined);
  if (foreign.length > 0)
    return {
      rule,
      found: `operator domain ${foreign.join(', ')}`,
      remedy: insteadOf('', foreign[0] ?? ''),
    };
  if (model.functions.length > 0)
    return {
      rule,
      found: `function ${model.functions.map((each) => each.name).join(', ')}`,
      remedy: 'inline functions on export',
    };
  if (model.trainingInfo.length > 0) return { rule, found: 'training information', remedy: 'export for inference' };
  for (const node of graph.node) {
    if (OPERATORS[node.domain]?.has(node.opType) !== true) {
      return {
        rule,
        found: `operator ${node.domain}:${node.opType}`,
        remedy: insteadOf(node.opType, node.domain),
      };
    }
    const nested = node.attribute.find(holdsGraph);
    if (nested !== undefined)
      return {
        rule,
        found: `a graph in attribute ${nested.name} of ${node.opType}`,
        remedy: 'export without control flow',
      };
  }
  return undefined;
}

/** The first tensor of a model whose data are outside of its file. */
export function outsideRefusal(graph: GraphProto): Refusal | undefined {
  const tensors = [
    ...graph.initializer,
    ...graph.sparseInitializer.flatMap((sparse) => [sparse.values, sparse.indices]),
    ...graph.node.flatMap((node) => node.attribute.flatMap((attribute) => tensorsOf(attribute))),
  ];
  const outside = tensors.find(
    (tensor) =>
      tensor !== undefined &&
      (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL || tensor.externalData.length > 0),
  );
  if (outside === undefined) return undefined;
  const where = outside.externalData.map((entry) => `${entry.key}=${entry.value}`).join(' ');
  return {
    rule: 'onnx-one-file',
    found: `tensor ${outside.name} has external data ${where}`,
    remedy: 'export with all data in the file',
  };
}

function inputRefusal(graph: GraphProto, features: number): Refusal | undefined {
  const inputs = inputsOf(graph);
  const [input] = inputs;
  if (inputs.length === 1 && input !== undefined && isFloatMatrix(input, features)) return undefined;
  return {
    rule: 'onnx-input',
    found: inputs.map(shapeOf).join(', ') || 'no input',
    remedy: `export with one input of 32-bit floats [rows, ${String(features)}]`,
  };
}

/** Initializers may be listed among the inputs, as defaults: they are none for a caller. */
function inputsOf(graph: GraphProto): ValueInfoProto[] {
  const constants = new Set(graph.initializer.map((tensor) => tensor.name));
  return graph.input.filter((input) => !constants.has(input.name));
}

/** The field holds a number, because files may name types that this code does not know. */
const FLOAT: number = TensorProto_DataType.FLOAT;

function isFloatMatrix(value: ValueInfoProto, columns: number): boolean {
  const type = value.type?.value;
  if (type?.case !== 'tensorType' || type.value.elemType !== FLOAT) return false;
  const [rows, second, ...more] = type.value.shape?.dim ?? [];
  const fixedRows = rows?.value.case === 'dimValue' && rows.value.value > 0n;
  return (
    rows !== undefined &&
    !fixedRows &&
    more.length === 0 &&
    second?.value.case === 'dimValue' &&
    second.value.value === BigInt(columns)
  );
}

function isFloatVector(value: ValueInfoProto): boolean {
  const type = value.type?.value;
  if (type?.case !== 'tensorType' || type.value.elemType !== FLOAT) return false;
  const dimensions = type.value.shape?.dim ?? [];
  return dimensions.length === 1 && dimensions[0]?.value.case !== 'dimValue';
}

function shapeOf(value: ValueInfoProto): string {
  const type = value.type?.value;
  if (type?.case !== 'tensorType') return `${value.name}: ${type?.case ?? 'no type'}`;
  const dimensions = (type.value.shape?.dim ?? []).map((dim) =>
    dim.value.case === 'dimValue' ? String(dim.value.value) : 'rows',
  );
  return `${value.name}: ${TensorProto_DataType[type.value.elemType] ?? 'unknown'} [${dimensions.join(', ')}]`;
}

function holdsGraph(attribute: AttributeProto): boolean {
  const { type } = attribute;
  const named = type === AttributeProto_AttributeType.GRAPH || type === AttributeProto_AttributeType.GRAPHS;
  return named || attribute.g !== undefined || attribute.graphs.length > 0;
}

/** The tensors of an attribute. */
export function tensorsOf(attribute: AttributeProto): AttributeProto['tensors'] {
  const sparse = [attribute.sparseTensor, ...attribute.sparseTensors].flatMap((each) => [each?.values, each?.indices]);
  return [attribute.t, ...attribute.tensors, ...sparse].filter((tensor) => tensor !== undefined);
}

function refused(...why: Refusing): Inspected {
  return { kind: 'refused', refusal: refusal(...why) };
}
