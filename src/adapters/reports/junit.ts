import type { TestFinding } from '#domain/attestation/finding.ts';
import { type Reading, type Refused, refused, said, shown } from './reading.ts';
import { readXml } from './xml.ts';

/** How many names of what failed a finding has. */
export const FAILURES = 8;

type Outcome = 'passed' | 'failed' | 'skipped';

interface Tally {
  cases: number;
  skipped: number;
  /** Test cases that failed, by whatever. */
  failed: number;
  /** Those with a `<failure>` and those with an `<error>`; a case may have both. */
  failures: number;
  errors: number;
}

interface Suite {
  readonly name: string;
  readonly attributes: Attributes;
  /** What is directly in the suite, and what is anywhere in it: writers count the one or the other. */
  readonly own: Tally;
  readonly all: Tally;
}

interface Case {
  readonly name: string;
  readonly attributes: Attributes;
  failure: boolean;
  error: boolean;
  skipped: boolean;
}

type Attributes = Readonly<Record<string, string>>;

/** What writers without an element for it say of a test case by `status` or `result`. */
const SAID: ReadonlyMap<string, Outcome> = new Map([
  ...['skipped', 'disabled', 'notrun', 'suppressed', 'ignored'].map((word) => [word, 'skipped'] as const),
  ...['failed', 'failure', 'error', 'broken'].map((word) => [word, 'failed'] as const),
]);

/**
 * JUnit XML as Surefire, Jest, Vitest and pytest write it. No schema binds them, so what counts is each `<testcase>`; the counts
 * that a suite claims must agree with them.
 * Source: https://github.com/testmoapp/junitxml
 */
export function readJunit(text: string): Reading {
  const suites: Suite[] = [];
  const names: string[] = [];
  let total = tally();
  let current: Case | undefined;

  const open = (name: string, attributes: Attributes, path: readonly string[]): Refused | undefined => {
    const around = path.at(-1);
    if (around === undefined && !SUITES.has(name))
      return refused(
        'report-format',
        `the root is ${name}, not testsuites or testsuite`,
        'attest a report in JUnit XML',
      );
    switch (name) {
      case 'testsuites':
        if (around !== undefined) return misplaced(name, around);
        suites.push({ name: 'testsuites', attributes, own: tally(), all: tally() });
        return;
      case 'testsuite':
        if (around !== undefined && !SUITES.has(around)) return misplaced(name, around);
        suites.push({ name: attributes['name'] ?? 'testsuite', attributes, own: tally(), all: tally() });
        return;
      case 'testcase': {
        if (around !== 'testsuite') return misplaced(name, around);
        if (attributes['name'] === undefined)
          return refused('report-format', 'a testcase has no name', 'name each testcase');
        current = { name: nameOf(attributes), attributes, failure: false, error: false, skipped: false };
        return;
      }
      case 'failure':
      case 'error':
      case 'skipped':
        // Deeper than directly in a test case it belongs to a tool's own elements.
        if (around === 'testcase' && current !== undefined) current[name] = true;
        if (SUITES.has(around ?? '') && name !== 'skipped')
          return refused('report-consistent', `a suite has <${name}> outside of its testcases`);
        return;
      default:
        return undefined;
    }
  };

  const close = (name: string, path: readonly string[]): Refused | undefined => {
    if (name === 'testcase' && current !== undefined) {
      const outcome = outcomeOf(current);
      if (outcome === 'failed' && names.length < FAILURES) names.push(current.name);
      const suite = suites.at(-1);
      for (const each of [suite?.own, suite?.all]) if (each !== undefined) count(each, current, outcome);
      current = undefined;
    }
    if (name !== 'testsuite' && name !== 'testsuites') return;
    const suite = suites.pop();
    if (suite === undefined) return;
    const outer = suites.at(-1);
    if (outer !== undefined) add(outer.all, suite.all);
    if (path.length === 0) total = suite.all;
    return contradiction(suite);
  };

  const wrong = readXml(text, { open, close });
  if (wrong !== undefined) return wrong;
  const { cases, failed, skipped } = total;
  const finding: TestFinding = { kind: 'tests', passed: cases - failed - skipped, failed, skipped, failures: names };
  return said(finding);
}

const SUITES = new Set(['testsuites', 'testsuite']);
const tally = (): Tally => ({ cases: 0, skipped: 0, failed: 0, failures: 0, errors: 0 });

const misplaced = (name: string, around: string | undefined): Refused =>
  refused('report-format', `${name} is ${around === undefined ? 'the root' : `in ${around}`}`, 'attest JUnit XML');

function nameOf({ classname = '', name = '' }: Attributes): string {
  return shown([classname, name].filter((each) => each !== '').join(' > '), 140) || 'a test without a name';
}

function outcomeOf({ attributes, failure, error, skipped }: Case): Outcome {
  const words = [attributes['status'], attributes['result']].map((word) => SAID.get(word?.toLowerCase() ?? ''));
  if (failure || error || words.includes('failed')) return 'failed';
  return skipped || words.includes('skipped') ? 'skipped' : 'passed';
}

function count(into: Tally, { failure, error }: Case, outcome: Outcome): void {
  into.cases += 1;
  into.failed += Number(outcome === 'failed');
  into.skipped += Number(outcome === 'skipped');
  into.failures += Number(failure);
  into.errors += Number(error);
}

function add(into: Tally, more: Tally): void {
  for (const key of Object.keys(into) as (keyof Tally)[]) into[key] += more[key];
}

/** Why the counts that a suite claims contradict its test cases. */
function contradiction({ name, attributes, own, all }: Suite): Refused | undefined {
  const claims: Partial<Record<'tests' | 'failures' | 'errors' | 'skipped', number>> = {};
  for (const key of ['tests', 'failures', 'errors', 'skipped'] as const) {
    const value = attributes[key];
    if (value === undefined) continue;
    if (!/^\d{1,9}$/.test(value)) return refused('report-consistent', `${name}: ${key} is ${value}, which is no count`);
    claims[key] = Number(value);
  }
  const { tests, failures, errors, skipped } = claims;
  const bad = failures === undefined && errors === undefined ? undefined : (failures ?? 0) + (errors ?? 0);
  // pytest counts a test whose teardown fails twice or once, whatever the number of its elements.
  const mayCount = ({ cases, errors }: Tally): boolean => tests === undefined || Math.abs(tests - cases) <= errors;
  const mayFail = ({ failed, failures, errors }: Tally): boolean =>
    bad === undefined || bad === failed || bad === failures + errors;
  const maySkip = (each: Tally): boolean => skipped === undefined || skipped === each.skipped;
  if ([own, all].some((each) => mayCount(each) && mayFail(each) && maySkip(each))) return undefined;
  const claimed = Object.entries(claims).map(([key, value]) => `${key} ${value}`);
  return refused(
    'report-consistent',
    `${name} claims ${claimed.join(', ')}; its testcases are ${all.cases}, ${all.failed} failed, ${all.skipped} skipped`,
  );
}
