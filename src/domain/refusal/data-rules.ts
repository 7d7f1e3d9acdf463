import { rulesOf } from './rule.ts';

const partition = rulesOf('partition_refused');
const predictions = rulesOf('predictions_blocked');
const training = rulesOf('candidates_rejected');
const sql = rulesOf();
const onnx = rulesOf();

/** The rules by which data, feature SQL, model files and predictions are refused. */
export const DATA_RULES = {
  'partition-day': partition(422, 'a partition is named by its day, dt=YYYY-MM-DD'),
  'partition-names': partition(422, 'the files of a partition are Parquet, in its own folder'),
  'partition-whole': partition(422, 'a partition with a ready marker has data'),
  'partition-files': partition(422, 'a partition has no more files than can be recorded'),
  'source-files-readable': partition(422, 'source files are readable Parquet'),
  'source-columns-declared': partition(422, 'source files have the declared columns, in their types'),
  'columns-unique': partition(422, 'no two columns have the same name, in whatever case'),
  'row-keys-present': partition(422, 'no row lacks its id, time or label'),
  'rows-of-partition-day': partition(422, 'rows are of the day of their partition'),
  'files-fit-on-disk': partition(422, 'the files of a partition fit on the disk of the function'),
  'data-fits-in-memory': partition(422, 'the data of a day fits in memory'),
  'event-ids-unique': sql(422, 'an event id is there once'),
  'daily-sql-without-partition': sql(422, 'daily SQL gives no column partition, which the pipeline adds'),
  'feature-sql-allowed': sql(422, 'feature SQL is one SELECT over its tables, of allowed functions'),
  'feature-sql-runs': sql(422, 'feature SQL runs'),
  'feature-sql-in-time': sql(422, 'feature SQL ends in time'),
  'feature-sql-fits-in-memory': sql(422, 'feature SQL fits in memory'),
  'feature-columns-declared': sql(422, 'features SQL gives id, entity, time and the declared features'),
  'features-numeric': sql(422, 'features are numbers'),
  'features-finite': sql(422, 'features are finite'),
  'one-feature-row-per-event': sql(422, 'features have one row per event'),
  'inputs-built': predictions(409, 'the features that a day is made of are built'),
  'due-days-scored': predictions(409, 'each day that is due is scored'),
  'predictions-published': predictions(404, 'predictions of the day are published'),
  'prediction-release': predictions(409, 'predictions are of the release that the reader means'),
  'history-reaches-test': training(409, 'events reach the last day of the test'),
  'history-long-enough': training(409, 'events begin before training would end'),
  'window-fits-history': training(409, 'a training window fits the history'),
  'some-window-fits-history': training(409, 'at least one training window fits the history'),
  'labels-match-events': training(422, 'labels match rows of the training window'),
  'row-ids-unique': training(422, 'a row id is there once in a training window'),
  'newest-label-unique': training(422, 'a row has one label that arrived last'),
  'artifact-present': training(404, 'the artifact of a training job is where the job said'),
  'artifact-readable': training(422, 'the artifact of a training job is a readable .tar.gz'),
  'artifact-files-unique': training(422, 'the artifact of a training job has each file once'),
  'artifact-size': training(422, 'the artifact of a training job fits the limit'),
  'onnx-matches-trainer': training(422, 'the ONNX file predicts what its trainer predicts'),
  'trainer-predictions-readable': training(422, 'the predictions that a trainer left can be read'),
  'onnx-valid': onnx(422, 'the model is an ONNX file with a graph'),
  'onnx-one-file': onnx(422, 'the model is one file'),
  'onnx-operators': onnx(422, 'the model is made of allowed operators'),
  'onnx-input': onnx(422, 'the model has one input, of the declared features'),
  'onnx-output': onnx(422, 'the model gives the probabilities of two classes'),
  'onnx-loads': onnx(422, 'the model loads'),
  'onnx-scores-rows': onnx(422, 'the model scores rows, in the shape that it declares'),
  'predictions-are-probabilities': onnx(422, 'predictions are probabilities'),
  'golden-predictions-reproduced': onnx(422, 'the model gives the golden predictions of its release'),
  'rows-to-explain': onnx(422, 'the days that explain a release have rows'),
} as const;
