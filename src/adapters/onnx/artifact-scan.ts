import { fromBinary } from '@bufbuild/protobuf';
import { withDatabase } from '#adapters/duckdb/database.ts';
import { inspectSql, TABLES_OF } from '#adapters/duckdb/sql-guard.ts';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import { type CheckedRule, checkedRule, MAX_MODEL_BYTES } from '#domain/release-tests/artifact-rules.ts';
import { type Refusal, refusalText } from '#domain/refusal/refusal.ts';
import type { ArtifactScan } from '#ports/artifact-scan.ts';
import { type GraphProto, type ModelProto, ModelProtoSchema, type TensorProto } from './generated/onnx_pb.js';
import { operatorRefusal, outsideRefusal, tensorsOf } from './inspect.ts';

const MODEL = 'model.onnx';

/**
 * The versions of each operator set that a release may use: from the first that onnxruntime runs to the last that somebody has read
 * about. A newer one may give an operator of the allow-list another meaning.
 * Source: https://onnxruntime.ai/docs/reference/compatibility.html
 */
const OPSETS: Readonly<Record<string, readonly [first: number, last: number]>> = {
  '': [7, 23],
  'ai.onnx': [7, 23],
  'ai.onnx.ml': [1, 5],
};

/** Runs the rules of a release's files; nothing is loaded, and no SQL runs. */
export const artifactScan: ArtifactScan = {
  checkModel(onnx) {
    const size = checkedRule(
      'model-size',
      MODEL,
      onnx.length > MAX_MODEL_BYTES ? `${onnx.length} bytes, at most ${MAX_MODEL_BYTES}` : undefined,
    );
    if (size.problem !== null) return [size];
    let model: ModelProto;
    try {
      model = fromBinary(ModelProtoSchema, onnx);
    } catch (error) {
      return [size, checkedRule('onnx-readable', MODEL, error instanceof Error ? error.message : String(error))];
    }
    const { graph } = model;
    if (graph === undefined || graph.node.length === 0)
      return [size, checkedRule('onnx-readable', MODEL, 'no graph with operators in it')];
    const said = (refused: Refusal | undefined): string | undefined =>
      refused === undefined ? undefined : refusalText(refused);
    return [
      size,
      checkedRule('onnx-readable', MODEL, undefined),
      checkedRule('onnx-operators', MODEL, said(operatorRefusal(model, graph))),
      checkedRule('onnx-one-file', MODEL, said(outsideRefusal(graph))),
      checkedRule('onnx-opsets', MODEL, whyNotRun(model)),
      checkedRule('onnx-finite', MODEL, whyNotFinite(graph)),
    ];
  },
  checkSql: (sql) =>
    withDatabase(ENGINE_MEMORY, async (connection) => {
      const checks: CheckedRule[] = [];
      for (const name of ['daily', 'features'] as const) {
        const refused = await inspectSql(connection, sql[name], TABLES_OF[name]);
        checks.push(
          checkedRule('feature-sql', `features/${name}.sql`, refused === undefined ? undefined : refusalText(refused)),
        );
      }
      return checks;
    }),
};

function whyNotRun({ opsetImport }: ModelProto): string | undefined {
  if (opsetImport.length === 0) return 'no operator set is imported';
  for (const { domain, version } of opsetImport) {
    const [first, last] = OPSETS[domain] ?? [];
    if (first === undefined || last === undefined) return `operator set ${domain} is not known`;
    if (version < first || version > last)
      return `operator set ${domain || 'ai.onnx'} ${version}, versions ${first} to ${last} are run`;
  }
  return undefined;
}

/**
 * What classical learners have learned, by the names of their attributes. Others say what a value means: a tree may be split at
 * infinity, and an imputer replaces NaN.
 */
const LEARNED = new Set(
  [
    'base_values base_values_as_tensor class_weights class_weights_as_tensor target_weights target_weights_as_tensor leaf_weights',
    'coefficients intercepts support_vectors rho prob_a prob_b offset scale imputed_value_floats',
  ].flatMap((names) => names.split(' ')),
);

function whyNotFinite(graph: GraphProto): string | undefined {
  const values = graph.sparseInitializer.flatMap((sparse) => (sparse.values === undefined ? [] : [sparse.values]));
  for (const tensor of [...graph.initializer, ...values]) {
    const wrong = notFinite(valuesOf(tensor));
    if (wrong !== undefined) return `initializer ${tensor.name} has ${wrong}`;
  }
  for (const node of graph.node)
    for (const attribute of node.attribute) {
      const isValue = node.opType === 'Constant' && attribute.name.startsWith('value');
      if (!isValue && !LEARNED.has(attribute.name)) continue;
      const wrong = [
        isValue ? [attribute.f, ...attribute.floats] : attribute.floats,
        ...tensorsOf(attribute).map(valuesOf),
      ].map(notFinite);
      const [first] = wrong.filter((each) => each !== undefined);
      if (first !== undefined) return `${attribute.name} of ${node.opType} has ${first}`;
    }
  return undefined;
}

/** The first value that is NaN or infinite, and where it is. */
function notFinite(values: ReturnType<typeof valuesOf>): string | undefined {
  const at = values.findIndex((value) => !Number.isFinite(value));
  return at < 0 ? undefined : `${String(values[at])} at ${at}`;
}

/** `TensorProto.DataType` of the types that have values which are no numbers. */
const FLOAT = 1;
const FLOAT16 = 10;
const DOUBLE = 11;
const BFLOAT16 = 16;

/** The floating-point values of a tensor; none of one that holds other types. */
function valuesOf(tensor: TensorProto): readonly number[] | Float32Array | Float64Array {
  const type: number = tensor.dataType;
  const { rawData: raw, floatData, doubleData, int32Data } = tensor;
  // A copy begins at a multiple of eight, which a part of the file need not.
  const bytes = raw.slice().buffer;
  switch (type) {
    case FLOAT:
      return raw.length > 0 ? new Float32Array(bytes, 0, Math.floor(raw.length / 4)) : floatData;
    case DOUBLE:
      return raw.length > 0 ? new Float64Array(bytes, 0, Math.floor(raw.length / 8)) : doubleData;
    case FLOAT16:
      return halves(raw.length > 0 ? new Uint16Array(bytes, 0, Math.floor(raw.length / 2)) : int32Data, 0x7c00);
    case BFLOAT16:
      return halves(raw.length > 0 ? new Uint16Array(bytes, 0, Math.floor(raw.length / 2)) : int32Data, 0x7f80);
    default:
      return [];
  }
}

/** Of numbers of sixteen bits only whether they are finite: all bits of the exponent are set in those that are not. */
function halves(values: ArrayLike<number>, exponent: number): number[] {
  return Array.from(values, (value) => {
    if ((value & exponent) !== exponent) return 0;
    return (value & 0x7fff) === exponent ? Infinity : Number.NaN;
  });
}
