import { z } from 'zod';
import { BuildPartitions } from '#use-cases/data/build-partitions.ts';
import { PlanReconciliation } from '#use-cases/inference/plan-reconciliation.ts';
import { PublishPredictions } from '#use-cases/inference/publish-predictions.ts';
import { PublishRows } from '#use-cases/inference/publish-rows.ts';
import { ReportRun } from '#use-cases/inference/report-run.ts';
import { ScorePartitions } from '#use-cases/inference/score-partitions.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import type { MachineContract } from './contract.ts';

export const batchInference = {
  name: 'batch-inference',
  input: z.object({ model: z.string(), run: z.string(), trigger: z.string() }),
  states: {
    'Plan reconciliation': { reads: ['model', 'run'], adds: 'planned', ...PlanReconciliation },
    'Build daily partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Build feature partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Score partition': { reads: ['$'], adds: null, ...ScorePartitions },
    'Build daily shard': { reads: ['$'], adds: null, ...BuildPartitions },
    'Build feature shard': { reads: ['$'], adds: null, ...BuildPartitions },
    'Score shard': { reads: ['$'], adds: null, ...ScorePartitions },
    'Publish rows': { reads: ['$'], adds: null, ...PublishRows },
    'Publish predictions': { reads: ['model', 'planned'], adds: 'publication', ...PublishPredictions },
    'Report run': { reads: ['$'], adds: 'report', ...ReportRun },
    'Report idle run': { reads: ['model', 'run', 'trigger', 'planned'], adds: 'report', ...ReportRun },
    'Record failure': { reads: ['model', 'run', 'error'], adds: 'report', ...RecordRunFailure },
  },
} satisfies MachineContract;
