import { ProbeEndpoint } from '#use-cases/alarm/probe-endpoint.ts';
import { VerifyServing } from '#use-cases/promotion/verify-serving.ts';
import { CheckRequestLog } from '#use-cases/rollback/check-request-log.ts';
import { JudgeProbes } from '#use-cases/rollback/judge-probes.ts';
import { OpenIncident, RecordRefusal } from '#use-cases/rollback/open-incident.ts';
import { SwitchPointer } from '#use-cases/rollback/switch-pointer.ts';
import { VerifyRollback } from '#use-cases/rollback/verify-rollback.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { batchInference } from './batch-inference.contract.ts';
import type { MachineContract } from './contract.ts';

export const rollback = {
  name: 'rollback',
  input: SwitchPointer.input,
  states: {
    'Switch pointer': {
      reads: ['model', 'rollback', 'actor', 'reason', 'from', 'epoch', 'to'],
      adds: 'target',
      ...SwitchPointer,
    },
    'Verify serving': { reads: ['model', 'target'], adds: 'serving', ...VerifyServing },
    'Open incident': {
      reads: ['model', 'rollback', 'actor', 'reason', 'target', 'serving'],
      adds: 'incident',
      ...OpenIncident,
    },
    'Probe endpoint': { reads: ['model'], adds: 'probe', ...ProbeEndpoint },
    'Probe endpoint again': { reads: ['model'], adds: 'again', ...ProbeEndpoint },
    'Judge probes': { reads: ['target', 'probe', 'again'], adds: 'probes', ...JudgeProbes },
    'Repair predictions': { reads: ['model', 'rollback'], adds: 'repair', starts: batchInference },
    'Check request log': { reads: ['model', 'target', 'probes'], adds: 'log', ...CheckRequestLog },
    'Verify rollback': {
      reads: ['model', 'rollback', 'target', 'serving', 'probes', 'log'],
      adds: 'verification',
      ...VerifyRollback,
    },
    'Record refusal': { reads: ['model', 'rollback', 'target'], adds: 'ending', ...RecordRefusal },
    'Record failure': { reads: ['model', 'rollback', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
