import { describe, expect, test } from 'vitest';
import { jsonOf, refusing } from './_samples.ts';

type Report = Readonly<Record<string, unknown>>;
type Change = (report: Report) => unknown;

describe('a change of a sample report', () => {
  const table: readonly (readonly [string, string, string, Change])[] = [
    ['SARIF of another version', 'codeql.sarif.json', 'report-version', (r) => ({ ...r, version: '2.0.0' })],
    ['SARIF without a version', 'codeql.sarif.json', 'report-version', (r) => ({ ...r, version: undefined })],
    ['SARIF of no run', 'codeql.sarif.json', 'report-complete', (r) => ({ ...r, runs: [] })],
    [
      'SARIF of a scan that failed',
      'codeql.sarif.json',
      'report-complete',
      run({ invocations: [{ executionSuccessful: false }] }),
    ],
    ['SARIF without results', 'codeql.sarif.json', 'report-complete', run({ results: undefined })],
    [
      'SARIF with results elsewhere',
      'codeql.sarif.json',
      'report-complete',
      run({ externalPropertyFileReferences: { results: [{}] } }),
    ],
    [
      'SARIF of a rule that is not there',
      'codeql.sarif.json',
      'report-consistent',
      run({ results: [{ ruleIndex: 9 }] }),
    ],
    [
      'SARIF of an extension that is not there',
      'codeql.sarif.json',
      'report-consistent',
      run({ results: [{ rule: { toolComponent: { index: 7 } } }] }),
    ],
    [
      'SARIF of two rules at once',
      'several.sarif.json',
      'report-consistent',
      run({ results: [{ ruleId: 'x', ruleIndex: 0 }] }),
    ],
    ['SARIF of a score above 10', 'several.sarif.json', 'report-consistent', run({ tool: scored('10.1') })],
    ['SARIF of a negative score', 'several.sarif.json', 'report-consistent', run({ tool: scored(-1) })],
    ['SARIF of a score that is none', 'several.sarif.json', 'report-consistent', run({ tool: scored('NaN') })],
    [
      'SARIF of a tool without a name to show',
      'several.sarif.json',
      'report-format',
      run({ tool: { driver: { name: '\u001b[2J' } } }),
    ],
    ['SARIF of a level that is none', 'several.sarif.json', 'report-format', run({ results: [{ level: 'fine' }] })],
    [
      'SARIF of many tools',
      'several.sarif.json',
      'report-fits',
      (r) => ({
        ...r,
        runs: Array.from({ length: 9 }, (_, index) => ({ tool: { driver: { name: `t${index}` } }, results: [] })),
      }),
    ],
    ['SARIF of an endless rule', 'several.sarif.json', 'report-fits', run({ results: [{ ruleId: '/'.repeat(201) }] })],
    ['pip-audit before version 2', 'pip-audit.json', 'report-version', (r) => r['dependencies']],
    [
      'pip-audit, skipped and audited',
      'pip-audit.json',
      'report-consistent',
      () => ({ dependencies: [{ name: 'a', skip_reason: 'b', vulns: [] }] }),
    ],
    [
      'pip-audit of a dependency not audited',
      'pip-audit.json',
      'report-format',
      () => ({ dependencies: [{ name: 'a', version: '1' }] }),
    ],
    ['npm audit that had no registry', 'npm-audit-error.json', 'report-complete', (r) => r],
    ['npm audit of npm 6', 'npm-audit.json', 'report-version', () => ({ actions: [], advisories: {}, metadata: {} })],
    ['npm audit of another version', 'npm-audit.json', 'report-version', (r) => ({ ...r, auditReportVersion: 3 })],
    [
      'npm audit that names fewer than it counts',
      'npm-audit.json',
      'report-consistent',
      (r) => ({ ...r, vulnerabilities: {} }),
    ],
    [
      'npm audit by a package that is not named',
      'npm-audit.json',
      'report-consistent',
      vulnerability('mkdirp', { via: ['constructor'] }),
    ],
    [
      'npm audit of a package by another name',
      'npm-audit.json',
      'report-consistent',
      vulnerability('mkdirp', { name: 'x' }),
    ],
    [
      'npm audit, worse than its advisories',
      'npm-audit.json',
      'report-consistent',
      vulnerability('minimist', { via: ['mkdirp'] }),
    ],
    ['npm audit without a cause', 'npm-audit.json', 'report-format', vulnerability('tiny', { via: [] })],
    [
      'npm audit of a negative count',
      'npm-audit.json',
      'report-consistent',
      (r) => ({ ...r, metadata: { vulnerabilities: { info: -1 } } }),
    ],
    [
      'k6 of more failures than requests',
      'k6-summary-export.json',
      'report-consistent',
      metric('http_req_failed', { passes: 2000, fails: 0 }),
    ],
    [
      'k6 of a rate that its time contradicts',
      'k6-handle-summary.json',
      'report-consistent',
      (r) => ({ ...r, state: { testRunDurationMs: 5000 } }),
    ],
    [
      'k6 of latencies that descend',
      'k6-summary-export.json',
      'report-consistent',
      metric('http_req_duration{expected_response:true}', { med: 9, max: 8 }),
    ],
    [
      'k6 of half a request',
      'k6-summary-export.json',
      'report-consistent',
      metric('http_reqs', { count: 0.5, rate: 1 }),
    ],
    ['k6 of no request', 'k6-summary-export.json', 'report-format', metric('http_reqs', undefined)],
    [
      'k6 of none sent',
      'k6-summary-export.json',
      'report-complete',
      (r) =>
        metric('http_req_failed', { passes: 0, fails: 0 })(metric('http_reqs', { count: 0, rate: 0 })(r) as Report),
    ],
    [
      'autocannon of statuses that do not add up',
      'autocannon.json',
      'report-consistent',
      (r) => ({ ...r, '2xx': 7467 }),
    ],
    ['autocannon that hides what is no 2xx', 'autocannon.json', 'report-consistent', (r) => ({ ...r, non2xx: 0 })],
    [
      'autocannon of more time-outs than errors',
      'autocannon.json',
      'report-consistent',
      (r) => ({ ...r, timeouts: 1 }),
    ],
    ['autocannon of no time', 'autocannon.json', 'report-consistent', (r) => ({ ...r, duration: 0 })],
    [
      'autocannon of more answers than requests',
      'autocannon.json',
      'report-consistent',
      (r) => ({ ...r, requests: { total: 7619, sent: 1 } }),
    ],
    [
      'autocannon of latencies that descend',
      'autocannon.json',
      'report-consistent',
      (r) => ({ ...r, latency: { p50: 9, p99: 6, max: 95 } }),
    ],
    [
      'in-toto of another statement',
      'test-result.json',
      'report-version',
      (r) => ({ ...r, _type: 'https://in-toto.io/Statement/v0.1' }),
    ],
    [
      'in-toto of another predicate',
      'test-result.json',
      'report-version',
      (r) => ({ ...r, predicateType: 'https://slsa.dev/provenance/v1' }),
    ],
    [
      'in-toto about no commit',
      'test-result.json',
      'report-subject',
      (r) => ({ ...r, subject: [{ digest: { sha256: 'ab' } }] }),
    ],
    [
      'in-toto about what is no commit',
      'test-result.json',
      'report-format',
      (r) => ({ ...r, subject: [{ digest: { gitCommit: 'main' } }] }),
    ],
    [
      'in-toto about many commits',
      'test-result.json',
      'report-fits',
      (r) => ({
        ...r,
        subject: Array.from({ length: 9 }, (_, index) => ({ digest: { gitCommit: String(index).repeat(40) } })),
      }),
    ],
    [
      'in-toto that names no test',
      'test-result.json',
      'report-complete',
      (r) => ({ ...r, predicate: { result: 'PASSED' } }),
    ],
    [
      'in-toto that passed and failed',
      'test-result.json',
      'report-consistent',
      (r) => ({ ...r, predicate: { result: 'PASSED', failedTests: ['a'] } }),
    ],
    [
      'in-toto of a test in two lists',
      'test-result.json',
      'report-consistent',
      (r) => ({ ...r, predicate: { result: 'FAILED', passedTests: ['a'], failedTests: ['a'] } }),
    ],
    ['an envelope of something else', 'test-result.json', 'report-format', () => envelope('{}', 'text/plain')],
    ['an envelope with a key twice in it', 'test-result.json', 'report-hostile', () => envelope('{"a":1,"a":2}')],
    [
      'an envelope that is no UTF-8',
      'test-result.json',
      'report-format',
      () => envelope('\u00ff', undefined, 'latin1'),
    ],
    [
      'an envelope without a signature',
      'test-result.json',
      'report-format',
      () => ({ ...envelope('{}'), signatures: [] }),
    ],
  ];

  test.for(table)('%s', ([, name, rule, change]) => {
    expect(refusing(change(jsonOf(name) as Report))).toBe(rule);
  });
});

function run(change: object): Change {
  return (report) => ({ ...report, runs: [{ ...(report['runs'] as readonly object[])[0], ...change }] });
}

function scored(score: unknown): object {
  return { driver: { name: 'x', rules: [{ id: 'r', properties: { 'security-severity': score } }] } };
}

function vulnerability(name: string, change: object): Change {
  return ({ vulnerabilities, ...report }) => {
    const all = vulnerabilities as Readonly<Record<string, object>>;
    return { ...report, vulnerabilities: { ...all, [name]: { ...all[name], ...change } } };
  };
}

function metric(name: string, numbers: object | undefined): Change {
  return ({ metrics, ...report }) => ({ ...report, metrics: { ...(metrics as object), [name]: numbers } });
}

function envelope(text: string, payloadType = 'application/vnd.in-toto+json', encoding: BufferEncoding = 'utf8') {
  return { payloadType, payload: Buffer.from(text, encoding).toString('base64'), signatures: [{ sig: 'c2ln' }] };
}
