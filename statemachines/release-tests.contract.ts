import { ConcludeTests } from '#use-cases/release-tests/conclude-tests.ts';
import { FindPredictions } from '#use-cases/release-tests/find-predictions.ts';
import { LoadEndpoint } from '#use-cases/release-tests/load-endpoint.ts';
import { PlanTests, TestRequest } from '#use-cases/release-tests/plan-tests.ts';
import { RecordLoad, RecordScan, RecordTests } from '#use-cases/release-tests/record-attestation.ts';
import { ReplayAnswers } from '#use-cases/release-tests/replay-answers.ts';
import { ScanRelease } from '#use-cases/release-tests/scan-release.ts';
import { TestBatch } from '#use-cases/release-tests/test-batch.ts';
import { TestEndpoint } from '#use-cases/release-tests/test-endpoint.ts';
import { RecordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import type { MachineContract } from './contract.ts';

export const releaseTests = {
  name: 'release-tests',
  input: TestRequest,
  states: {
    // What may be left out of the input is no path of a state.
    'Plan tests': { reads: ['$'], adds: 'plan', ...PlanTests },
    'Scan release': { reads: ['model', 'plan'], adds: 'scan', ...ScanRelease },
    'Record scan': { reads: ['model', 'plan', 'scan'], adds: 'scanned', ...RecordScan },
    'Find predictions': { reads: ['model', 'plan'], adds: 'predictions', ...FindPredictions },
    'Test batch': { reads: ['model', 'predictions'], adds: 'batch', ...TestBatch },
    'Test endpoint': { reads: ['model', 'plan', 'batch'], adds: 'endpoint', ...TestEndpoint },
    'Replay answers': { reads: ['model', 'plan', 'endpoint'], adds: 'replay', ...ReplayAnswers },
    'Record tests': { reads: ['model', 'plan', 'batch', 'endpoint', 'replay'], adds: 'tested', ...RecordTests },
    'Load endpoint': { reads: ['model', 'plan'], adds: 'load', ...LoadEndpoint },
    'Record load': { reads: ['model', 'plan', 'load'], adds: 'loaded', ...RecordLoad },
    'Conclude tests': { reads: ['model', 'plan'], adds: 'judgement', ...ConcludeTests },
    'Record failure': { reads: ['model', 'error'], adds: 'ending', ...RecordRunFailure },
  },
} satisfies MachineContract;
