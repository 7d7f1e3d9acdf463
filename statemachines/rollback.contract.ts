import { VerifyServing } from '#use-cases/promotion/verify-serving.ts';
import { OpenIncident } from '#use-cases/incidents/open-incident.ts';
import { RecordRefusal } from '#use-cases/rollback/record-refusal.ts';
import { SwitchPointer } from '#use-cases/rollback/switch-pointer.ts';
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
      reads: ['model', 'rollback', 'actor', 'serving'],
      adds: 'incident',
      ...OpenIncident,
    },
    'Repair predictions': { reads: ['model', 'rollback'], adds: 'repair', starts: batchInference },
    'Record refusal': { reads: ['model', 'rollback', 'target'], adds: 'ending', ...RecordRefusal },
    'Record failure': { reads: ['model', 'rollback', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
