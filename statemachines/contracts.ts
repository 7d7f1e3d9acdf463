import { batchInference } from './batch-inference.contract.ts';
import { canary } from './canary.contract.ts';
import { confirmation } from './confirmation.contract.ts';
import { dataQuality } from './data-quality.contract.ts';
import { drift } from './drift.contract.ts';
import { incident } from './incident.contract.ts';
import { probation } from './probation.contract.ts';
import { promotion } from './promotion.contract.ts';
import { releaseTests } from './release-tests.contract.ts';
import { retraining } from './retraining.contract.ts';
import { rollback } from './rollback.contract.ts';
import { rollbackReadiness } from './rollback-readiness.contract.ts';
import { rollbackVerification } from './rollback-verification.contract.ts';
import { validation } from './validation.contract.ts';

/** The contract of each machine, by the name of its ASL file. */
export const CONTRACTS = {
  'batch-inference': batchInference,
  canary,
  confirmation,
  'data-quality': dataQuality,
  drift,
  incident,
  probation,
  promotion,
  'release-tests': releaseTests,
  retraining,
  rollback,
  'rollback-readiness': rollbackReadiness,
  'rollback-verification': rollbackVerification,
  validation,
} as const;
