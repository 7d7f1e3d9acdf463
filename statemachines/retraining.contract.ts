import { BuildPartitions } from '#use-cases/data/build-partitions.ts';
import { ExportTrainingRows } from '#use-cases/retraining/export-training-rows.ts';
import { OpenRetrainingRun } from '#use-cases/retraining/open-retraining-run.ts';
import { PackageCandidates } from '#use-cases/retraining/package-candidates.ts';
import { PlanWindows } from '#use-cases/retraining/plan-windows.ts';
import { RegisterCandidates } from '#use-cases/retraining/register-candidates.ts';
import { TrainWindow } from '#use-cases/retraining/train-window.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { RejectCandidates, RejectUnfitData } from '#use-cases/validation/conclude-validation.ts';
import { dataQuality } from './data-quality.contract.ts';
import { validation } from './validation.contract.ts';
import type { MachineContract } from './contract.ts';

export const retraining = {
  name: 'retraining',
  input: OpenRetrainingRun.input.omit({ run: true }),
  states: {
    'Open retraining run': { reads: ['model', 'asOf', 'trigger'], adds: 'opened', ...OpenRetrainingRun },
    'Plan windows': { reads: ['opened'], adds: 'planned', ...PlanWindows },
    'Reject run': { reads: ['opened', 'planned'], adds: 'ending', ...RejectCandidates },
    'Build daily partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Build feature partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Validate data': { reads: ['opened', 'planned'], adds: 'validated', starts: dataQuality },
    'Reject unfit data': { reads: ['opened', 'validated', 'daily', 'features'], adds: 'ending', ...RejectUnfitData },
    'Export training rows': { reads: ['plan'], adds: 'export', ...ExportTrainingRows },
    'Train window': { reads: ['plan', 'job'], adds: 'training', ...TrainWindow },
    'Package candidates': { reads: ['windows', 'daily', 'features'], adds: 'packaged', ...PackageCandidates },
    'Reject untrained run': { reads: ['opened', 'packaged'], adds: 'ending', ...RejectCandidates },
    'Register candidate': { reads: ['opened', 'packaged', 'validated'], adds: 'registered', ...RegisterCandidates },
    'Validate candidates': { reads: ['opened', 'registered'], adds: 'validation', starts: validation },
    'Record failure': { reads: ['model', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
