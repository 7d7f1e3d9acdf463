import { ChangeIncident } from '#use-cases/incidents/change-incident.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import type { MachineContract } from './contract.ts';

export const incident = {
  name: 'incident',
  input: ChangeIncident.input,
  states: {
    'Change incident': {
      reads: ['model', 'incident', 'act', 'actor', 'action', 'comment', 'part', 'resolution', 'rootCause'],
      adds: 'outcome',
      ...ChangeIncident,
    },
    'Record failure': { reads: ['model', 'act', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
