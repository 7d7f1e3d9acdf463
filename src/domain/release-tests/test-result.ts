import { z } from 'zod';
import type { TestFinding } from '../attestation/finding.ts';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { ModelName } from '../model/definition.ts';
import { cut, seenLine } from '../text.ts';

/** What came of one test; `found` says what was compared, what is wrong, or why it was skipped. */
export const TestResult = z.strictObject({
  name: z.string().min(1).max(60),
  status: z.enum(['passed', 'failed', 'skipped']),
  found: z.string().max(300),
});
export type TestResult = z.infer<typeof TestResult>;

/** The results of some tests, as states pass them on. */
export const TestResults = z.array(TestResult).max(12);

/** A result in words that fit. */
export function testResult(name: string, status: TestResult['status'], found: string): TestResult {
  return { name, status, found: cut(seenLine(found), 300) };
}

/** The report of the integration tests of a release, as an object by digest. */
export const ReleaseTestReport = document(
  'report of release tests',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    release: Digest,
    run: z.string().min(1),
    tests: z.array(TestResult).min(1),
    /** The requests that were sent, and what the endpoint answered, as objects by digest; null where there are none. */
    requests: Digest.nullable(),
    answers: Digest.nullable(),
  }),
);

/** What some results come to. */
export function testFinding(results: readonly TestResult[]): TestFinding {
  const of = (status: TestResult['status']): readonly TestResult[] => results.filter((each) => each.status === status);
  const failed = of('failed');
  return {
    kind: 'tests',
    passed: of('passed').length,
    failed: failed.length,
    skipped: of('skipped').length,
    failures: failed.slice(0, 8).map(({ name, found }) => cut(`${name}: ${found}`, 140)),
  };
}
