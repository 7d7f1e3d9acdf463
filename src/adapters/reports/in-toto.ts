import { z } from 'zod';
import { Commit, type TestFinding } from '#domain/attestation/finding.ts';
import { jsonOf } from './json.ts';
import { FAILURES } from './junit.ts';
import { type Reading, refused, said, shaped, shown } from './reading.ts';

const STATEMENT = 'https://in-toto.io/Statement/v1';
const TEST_RESULT = 'https://in-toto.io/attestation/test-result/v0.1';
/** How many commits a statement may be about. */
const SUBJECTS = 8;

const Envelope = z.object({
  payloadType: z.literal('application/vnd.in-toto+json'),
  payload: z.string().regex(/^[A-Za-z0-9+/_-]+={0,2}$/, 'must be base64'),
  signatures: z.array(z.object({ sig: z.string() })).min(1),
});
const Types = z.object({ _type: z.string(), predicateType: z.string() });
const Names = z.array(z.string().min(1));
const Statement = z.object({
  subject: z.array(z.object({ digest: z.object({ gitCommit: Commit }).partial() })).min(1),
  predicate: z.object({
    result: z.enum(['PASSED', 'WARNED', 'FAILED']),
    passedTests: Names.optional(),
    warnedTests: Names.optional(),
    failedTests: Names.optional(),
  }),
});

/**
 * An in-toto statement with a test result, bare or in a DSSE envelope. The envelope is opened only: nobody here has the key that its
 * signature is of, so the signature proves nothing. A test with a warning has passed.
 * Source: https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
 */
export function readInToto(value: unknown): Reading {
  if (!isEnvelope(value)) return readStatement(value);
  const envelope = shaped(Envelope, value, 'DSSE envelope');
  if (envelope.kind === 'refused') return envelope;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(envelope.value.payload, 'base64'));
  } catch {
    return refused('report-format', 'the payload of the envelope is not UTF-8', 'write it again');
  }
  const json = jsonOf(text);
  return json.kind === 'refused' ? json : readStatement(json.value);
}

const isEnvelope = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'payloadType');

function readStatement(value: unknown): Reading {
  const types = shaped(Types, value, 'in-toto');
  if (types.kind === 'refused') return types;
  const { _type: type, predicateType } = types.value;
  if (type !== STATEMENT)
    return refused('report-version', `in-toto: _type is ${type}`, `write a statement of ${STATEMENT}`);
  if (predicateType !== TEST_RESULT)
    return refused('report-version', `in-toto: predicateType is ${predicateType}`, `write one of ${TEST_RESULT}`);
  const statement = shaped(Statement, value, 'in-toto');
  if (statement.kind === 'refused') return statement;

  const { subject, predicate } = statement.value;
  const subjects = [...new Set(subject.flatMap(({ digest }) => digest.gitCommit ?? []))];
  if (subjects.length === 0)
    return refused('report-subject', 'in-toto: no subject has a digest gitCommit', 'name the commit as the subject');
  if (subjects.length > SUBJECTS)
    return refused('report-fits', `in-toto: ${subjects.length} commits, at most ${SUBJECTS}`, 'write one for each');

  const { result, passedTests = [], warnedTests = [], failedTests = [] } = predicate;
  const all = [...passedTests, ...warnedTests, ...failedTests];
  if (all.length === 0)
    return refused('report-complete', 'in-toto: no test is named', 'name the tests that passed, warned and failed');
  const twice = repeated(all);
  if (twice !== undefined) return refused('report-consistent', `in-toto: the test ${twice} is named twice`);
  const follows = resultOf(warnedTests.length, failedTests.length);
  if (result !== follows)
    return refused('report-consistent', `in-toto: the result is ${result}; by its tests it would be ${follows}`);
  const finding: TestFinding = {
    kind: 'tests',
    passed: passedTests.length + warnedTests.length,
    failed: failedTests.length,
    skipped: 0,
    failures: failedTests.slice(0, FAILURES).map((name) => shown(name, 140)),
  };
  return { ...said(finding), subjects };
}

function resultOf(warned: number, failed: number): 'PASSED' | 'WARNED' | 'FAILED' {
  if (failed > 0) return 'FAILED';
  return warned > 0 ? 'WARNED' : 'PASSED';
}

function repeated(names: readonly string[]): string | undefined {
  const known = new Set<string>();
  for (const name of names) {
    if (known.has(name)) return name;
    known.add(name);
  }
  return undefined;
}
