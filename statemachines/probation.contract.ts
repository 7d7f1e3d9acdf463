import { BuildPartitions } from '#use-cases/data/build-partitions.ts';
import { MeasureComparison } from '#use-cases/data/measure-comparison.ts';
import { ScorePartitions } from '#use-cases/inference/score-partitions.ts';
import { JudgeRelease } from '#use-cases/probation/judge-release.ts';
import { PlanReview } from '#use-cases/probation/plan-review.ts';
import { MeasureAnswers } from '#use-cases/requests/measure-answers.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { confirmation } from './confirmation.contract.ts';
import { rollback } from './rollback.contract.ts';
import type { MachineContract } from './contract.ts';

export const probation = {
  name: 'probation',
  input: PlanReview.input,
  states: {
    'Plan review': { reads: ['model', 'asOf'], adds: 'plan', ...PlanReview },
    'Build daily partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Build feature partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Score release': { reads: ['$'], adds: null, ...ScorePartitions },
    'Measure comparison': { reads: ['plan', 'scores'], adds: 'measured', ...MeasureComparison },
    'Measure answers': { reads: ['plan'], adds: 'answers', ...MeasureAnswers },
    'Judge release': { reads: ['model', 'plan', 'measured', 'answers'], adds: 'judgement', ...JudgeRelease },
    'Confirm release': { reads: ['model', 'judgement', 'plan'], adds: 'confirmation', starts: confirmation },
    'Roll back': { reads: ['model', 'judgement', 'plan'], adds: 'rollback', starts: rollback },
    'Record failure': { reads: ['model', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
