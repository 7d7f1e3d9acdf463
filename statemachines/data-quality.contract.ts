import { CheckExpectations } from '#use-cases/data-quality/check-expectations.ts';
import { JudgeData } from '#use-cases/data-quality/judge-data.ts';
import { PlanDataCheck } from '#use-cases/data-quality/plan-data-check.ts';
import { StageData } from '#use-cases/data-quality/stage-data.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import type { MachineContract } from './contract.ts';

export const dataQuality = {
  name: 'data-quality',
  input: PlanDataCheck.input.omit({ run: true }),
  states: {
    'Plan data check': { reads: ['model', 'training'], adds: 'plan', ...PlanDataCheck },
    'Stage data': { reads: ['plan'], adds: 'staged', ...StageData },
    'Check expectations': { reads: ['plan'], adds: 'checked', ...CheckExpectations },
    'Judge data': { reads: ['$'], adds: 'judgement', ...JudgeData },
    'Record failure': { reads: ['model', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
