import { ConfirmRelease } from '#use-cases/confirmation/confirm-release.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import type { MachineContract } from './contract.ts';

export const confirmation = {
  name: 'confirmation',
  input: ConfirmRelease.input,
  states: {
    'Confirm release': {
      reads: ['model', 'confirmation', 'actor', 'reason', 'evidence', 'release', 'epoch'],
      adds: 'outcome',
      ...ConfirmRelease,
    },
    'Record failure': { reads: ['model', 'confirmation', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
