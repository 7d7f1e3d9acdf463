import { z } from 'zod';
import { ProbeEndpoint } from '#use-cases/alarm/probe-endpoint.ts';
import { CheckRequestLog } from '#use-cases/rollback/check-request-log.ts';
import { JudgeProbes } from '#use-cases/rollback/judge-probes.ts';
import { VerifyRollback } from '#use-cases/rollback/verify-rollback.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import type { MachineContract } from './contract.ts';

export const rollbackVerification = {
  name: 'rollback-verification',
  input: z.object({ model: z.string(), rollback: z.string(), target: JudgeProbes.input.shape.target }),
  states: {
    'Probe endpoint': { reads: ['model'], adds: 'probe', ...ProbeEndpoint },
    'Probe endpoint again': { reads: ['model'], adds: 'again', ...ProbeEndpoint },
    'Judge probes': { reads: ['target', 'probe', 'again'], adds: 'probes', ...JudgeProbes },
    'Check request log': { reads: ['model', 'target', 'probes'], adds: 'log', ...CheckRequestLog },
    'Verify rollback': {
      reads: ['model', 'rollback', 'target', 'probes', 'log'],
      adds: 'verification',
      ...VerifyRollback,
    },
    'Record failure': { reads: ['model', 'rollback', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
