const TENSOR = `
  Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh BatchNormalization Cast CastLike Ceil Celu Clip Concat Constant
  ConstantOfShape Cos Cosh CumSum Div Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather GatherElements GatherND
  Gelu Gemm Greater GreaterOrEqual GroupNormalization HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsInf
  IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization MatMul Max Mean
  MeanVarianceNormalization Min Mish Mod Mul Neg NonZero Not OneHot Or PRelu Pad Pow RMSNormalization Range Reciprocal
  ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu
  Reshape Round ScatterElements ScatterND Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign Split Sqrt
  Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Where Xor`;
const LEARNING = `
  ArrayFeatureExtractor Binarizer FeatureVectorizer Imputer LabelEncoder LinearClassifier LinearRegressor Normalizer
  OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor`;

/**
 * The operators that a model may be made of, by domain: arithmetic on tensors and the classical learners. All are pure
 * functions of their inputs; none draws random numbers, holds a graph or reads anything.
 * Source: https://onnx.ai/onnx/operators/
 */
export const OPERATORS: Readonly<Record<string, ReadonlySet<string>>> = {
  '': words(TENSOR),
  'ai.onnx': words(TENSOR),
  'ai.onnx.ml': words(LEARNING),
};

/**
 * What to do about an operator that is not listed, by its name, or by its domain: where its exporter can do without it, how.
 * Source: https://onnx.ai/sklearn-onnx/parameterized.html, https://docs.pytorch.org/docs/stable/onnx.html
 */
const INSTEAD: Readonly<Record<string, string>> = {
  ZipMap: 'export probabilities as a tensor: zipmap=False (skl2onnx: options={id(model): {"zipmap": False}})',
  Scan: 'nearest neighbours and Gaussian processes of skl2onnx need it, with each of its options: train another learner',
  Loop: 'a loop of Python became one: in torch.onnx.export pass dynamo=True, or write the loop out',
  If: 'a condition of Python became one: in torch.onnx.export pass dynamo=True, or use torch.where',
  Dropout: 'call model.eval() before torch.onnx.export',
  'com.microsoft':
    'skl2onnx: leave optim="cdist" out, and export no Gaussian process; else do not store what onnxruntime has optimised',
  'ai.onnx.contrib': 'give numbers instead of text: what tokenises belongs into features.sql',
};

/** What to do about an operator that a model may not have. */
export function insteadOf(operator: string, domain: string): string {
  return (
    INSTEAD[operator] ??
    INSTEAD[domain] ??
    'export with operators of the allow-list in src/adapters/onnx/operators.ts; docs/onnx-exports.md names the switches of exporters'
  );
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
