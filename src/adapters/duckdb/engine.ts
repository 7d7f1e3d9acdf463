export { countAnswersOfOlderEpochs, measureLatency } from './request-figures.ts';
export { measureAnswers } from './answers.ts';
export { checkPartition } from './check-partition.ts';
export { measureComparison } from './comparison.ts';
export { buildDaily, buildFeatures } from './featurizer.ts';
export { stagePartitions } from './staged-partitions.ts';
export { measureTrainingRows } from './training-figures.ts';
export { exportTrainingRows } from './training-rows.ts';
export { compareFeatures, measureStability } from './drift.ts';
