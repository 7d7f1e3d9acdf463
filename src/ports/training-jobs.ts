import type { Refusal } from '#domain/refusal/refusal.ts';
import type { AbsentJob, JobStart } from './job.ts';

/** A training job as it is asked for. */
export interface TrainingJobRequest {
  readonly name: string;
  readonly image: string;
  /** The prefix under which the channel `train` is, all that the job can read. */
  readonly input: string;
  readonly output: string;
  readonly hyperparameters: Readonly<Record<string, string>>;
  readonly instanceType: string;
  readonly maxRuntimeSeconds: number;
}

export type TrainingJobState =
  | AbsentJob
  | { readonly kind: 'running' }
  | { readonly kind: 'completed'; readonly artifact: string; readonly seconds: number }
  | { readonly kind: 'failed'; readonly reason: string };

/** Training in containers. */
export interface TrainingJobs {
  /** A second start under the same name is the first one's echo. */
  start(request: TrainingJobRequest): Promise<JobStart>;
  describe(name: string): Promise<TrainingJobState>;
}

/** The files of a job's `model.tar.gz` that a release is made from, by their names; or why they cannot be had. */
export type ModelArtifact =
  | { readonly kind: 'read'; readonly files: ReadonlyMap<string, Uint8Array> }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What jobs leave behind, and what they are given. */
export interface TrainingData {
  /** Reads what a training program left: foreign bytes, which are refused where no retry would mend them. */
  readArtifact(uri: string): Promise<ModelArtifact>;
  /** Copies an object of a run into a local file; false where there is none. */
  fetch(key: string, path: string): Promise<boolean>;
  /** Stores a run's rows; the key's run and window make it unique. */
  storeRows(key: string, path: string): Promise<void>;
}
