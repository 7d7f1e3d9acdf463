import type { AbsentJob, JobStart } from './job.ts';

/** A processing job as it is asked for: it reads one prefix and writes another, and reaches nothing else. */
export interface ProcessingJobRequest {
  readonly name: string;
  readonly image: string;
  readonly input: string;
  readonly output: string;
  readonly maxRuntimeSeconds: number;
}

export type ProcessingJobState =
  | AbsentJob
  | { readonly kind: 'running' }
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Programs in containers that look at data. */
export interface ProcessingJobs {
  /** A second start under the same name is the first one's echo. */
  start(request: ProcessingJobRequest): Promise<JobStart>;
  describe(name: string): Promise<ProcessingJobState>;
  /** What a job left under a key; undefined where there is nothing. */
  readOutput(key: string): Promise<Uint8Array | undefined>;
}
