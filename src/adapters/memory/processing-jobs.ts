import type { ProcessingJobRequest, ProcessingJobs, ProcessingJobState } from '#ports/processing-jobs.ts';

/** Processing jobs in memory; they run until somebody says in `states` how they ended, and leave what is put into `outputs`. */
export function memoryProcessingJobs(): ProcessingJobs & {
  readonly requests: Map<string, ProcessingJobRequest>;
  readonly states: Map<string, ProcessingJobState>;
  readonly outputs: Map<string, Uint8Array>;
} {
  const requests = new Map<string, ProcessingJobRequest>();
  const states = new Map<string, ProcessingJobState>();
  const outputs = new Map<string, Uint8Array>();
  return {
    requests,
    states,
    outputs,
    async start(request) {
      if (!requests.has(request.name)) requests.set(request.name, request);
      return { kind: 'started' };
    },
    describe: async (name) => states.get(name) ?? { kind: requests.has(name) ? 'running' : 'absent' },
    readOutput: async (key) => outputs.get(key),
  };
}
