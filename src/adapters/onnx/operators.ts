const TENSOR = `
  Abs Add And ArgMax Cast Ceil Clip Concat Constant ConstantOfShape CumSum Div Elu Equal Erf Exp Expand Flatten Floor
  Gather GatherElements Gelu Gemm Greater GreaterOrEqual HardSigmoid Identity IsInf IsNaN LayerNormalization LeakyRelu
  Less LessOrEqual Log LogSoftmax MatMul Max Mean Min Mod Mul Neg Not Or PRelu Pow Range Reciprocal ReduceMax ReduceMean
  ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Round Selu Shape Sigmoid Sign Size Slice Softmax Softplus
  Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose Unsqueeze Where Xor`;
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

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
