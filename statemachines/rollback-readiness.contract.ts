import { z } from 'zod';
import { CheckSourceData } from '#use-cases/rollback-readiness/check-source-data.ts';
import { PlanDrill } from '#use-cases/rollback-readiness/plan-drill.ts';
import { RecordReadiness } from '#use-cases/rollback-readiness/record-readiness.ts';
import { RecordUnknownReadiness } from '#use-cases/rollback-readiness/record-unknown-readiness.ts';
import { VerifyRollbackTarget } from '#use-cases/rollback-readiness/verify-rollback-target.ts';
import type { MachineContract } from './contract.ts';

export const rollbackReadiness = {
  name: 'rollback-readiness',
  input: z.object({ model: z.string() }),
  states: {
    'Plan drill': { reads: ['model'], adds: 'plan', ...PlanDrill },
    'Verify rollback target': { reads: ['model', 'plan'], adds: 'verification', ...VerifyRollbackTarget },
    'Check source data': { reads: ['plan'], adds: 'data', ...CheckSourceData },
    'Record readiness': { reads: ['model', 'plan', 'verification', 'data'], adds: 'judgement', ...RecordReadiness },
    'Record failure': { reads: ['model', 'error'], adds: 'ending', ...RecordUnknownReadiness },
  },
} satisfies MachineContract;
