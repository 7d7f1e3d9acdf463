import { BuildPartitions } from '#use-cases/data/build-partitions.ts';
import { MeasureComparison } from '#use-cases/data/measure-comparison.ts';
import { JudgeDrift } from '#use-cases/drift/judge-drift.ts';
import { MeasureStability } from '#use-cases/drift/measure-stability.ts';
import { PlanDriftCheck } from '#use-cases/drift/plan-drift-check.ts';
import { RecomputeFeatures } from '#use-cases/drift/recompute-features.ts';
import { MeasureAnswers } from '#use-cases/requests/measure-answers.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import type { MachineContract } from './contract.ts';

export const drift = {
  name: 'drift',
  input: PlanDriftCheck.input,
  states: {
    'Plan drift check': { reads: ['model', 'asOf'], adds: 'plan', ...PlanDriftCheck },
    'Build daily partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Build feature partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Measure stability': { reads: ['plan'], adds: 'stability', ...MeasureStability },
    'Measure comparison': { reads: ['plan'], adds: 'measured', ...MeasureComparison },
    'Recompute features': { reads: ['plan'], adds: 'parity', ...RecomputeFeatures },
    'Measure answers': { reads: ['plan'], adds: 'answers', ...MeasureAnswers },
    'Judge drift': {
      reads: ['model', 'plan', 'stability', 'measured', 'parity', 'answers'],
      adds: 'judgement',
      ...JudgeDrift,
    },
    'Record failure': { reads: ['model', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
