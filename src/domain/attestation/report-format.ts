import { z } from 'zod';
import type { AttestedGate } from './attestation.ts';

/** The formats in which tools report, and of which gates they say something. */
export const REPORT_FORMATS = {
  junit: ['unit-tests', 'integration-tests'],
  'in-toto-test-result': ['unit-tests', 'integration-tests'],
  'github-review': ['code-review'],
  sarif: ['security-scan'],
  'pip-audit': ['security-scan'],
  'npm-audit': ['security-scan'],
  k6: ['load'],
  autocannon: ['load'],
} as const satisfies Readonly<Record<string, readonly AttestedGate[]>>;

export const ReportFormat = z.enum(Object.keys(REPORT_FORMATS) as [keyof typeof REPORT_FORMATS]);
export type ReportFormat = z.infer<typeof ReportFormat>;

/** The largest report, as it is sent and when it is unpacked: Lambda takes bodies of 6 MB, in base64. */
export const MOST_REPORT_BYTES = 4 * 1024 * 1024;
