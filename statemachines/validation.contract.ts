import { BuildPartitions } from '#use-cases/data/build-partitions.ts';
import { MeasureComparison } from '#use-cases/data/measure-comparison.ts';
import { MeasureStability } from '#use-cases/drift/measure-stability.ts';
import { ScorePartitions } from '#use-cases/inference/score-partitions.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { AttachReport } from '#use-cases/validation/attach-report.ts';
import { HoldAsInconclusive, OfferRelease, RejectCandidates } from '#use-cases/validation/conclude-validation.ts';
import { EvaluateCandidates } from '#use-cases/validation/evaluate-candidates.ts';
import { ExplainRelease } from '#use-cases/validation/explain-release.ts';
import { PlanReports } from '#use-cases/validation/plan-reports.ts';
import { PlanValidation } from '#use-cases/validation/plan-validation.ts';
import { WriteReport } from '#use-cases/validation/write-report.ts';
import type { MachineContract } from './contract.ts';

export const validation = {
  name: 'validation',
  input: PlanValidation.input,
  states: {
    'Plan validation': { reads: ['model', 'run', 'asOf', 'candidates'], adds: 'plan', ...PlanValidation },
    'Hold unmeasured': { reads: ['model', 'run', 'asOf', 'plan'], adds: 'ending', ...HoldAsInconclusive },
    'Build daily partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Build feature partition': { reads: ['$'], adds: null, ...BuildPartitions },
    'Score release': { reads: ['$'], adds: null, ...ScorePartitions },
    'Measure comparison': { reads: ['plan', 'scores'], adds: 'measured', ...MeasureComparison },
    'Evaluate gates': { reads: ['model', 'measured'], adds: 'gates', ...EvaluateCandidates },
    'Plan reports': { reads: ['model', 'run', 'asOf', 'plan', 'measured', 'gates'], adds: 'reporting', ...PlanReports },
    'Measure stability': { reads: ['stability'], adds: 'measured', ...MeasureStability },
    'Explain release': { reads: ['plan', 'release'], adds: 'explained', ...ExplainRelease },
    'Write report': { reads: ['plan', 'release', 'explained', 'measured'], adds: 'written', ...WriteReport },
    'Attach report': { reads: ['model', 'run', 'release', 'written'], adds: 'attached', ...AttachReport },
    'Offer release': { reads: ['model', 'run', 'asOf', 'plan', 'gates'], adds: 'ending', ...OfferRelease },
    'Reject candidates': { reads: ['model', 'run', 'asOf', 'gates'], adds: 'ending', ...RejectCandidates },
    'Hold as inconclusive': { reads: ['model', 'run', 'asOf', 'gates'], adds: 'ending', ...HoldAsInconclusive },
    'Record failure': { reads: ['model', 'run', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
