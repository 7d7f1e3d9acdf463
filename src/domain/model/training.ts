import type { ModelDefinition } from './definition.ts';

/** What SageMaker allows for one hyperparameter's value (CreateTrainingJob, HyperParameters). */
export const LONGEST_VALUE = 2500;

/**
 * The hyperparameters of a training job: the model's own, the seed, and the names of the label and of the features, so
 * that the program can say which column it misses. A list of features that is too long is left out; the program then
 * takes all columns between the day and the label.
 */
export function trainingHyperparameters({
  training,
  labels,
  features,
}: Pick<ModelDefinition, 'training' | 'labels' | 'features'>): Record<string, string> {
  const list = features.columns.join(',');
  return {
    ...training.hyperparameters,
    seed: String(training.seed),
    label: labels.value,
    ...(list.length <= LONGEST_VALUE ? { features: list } : {}),
  };
}
