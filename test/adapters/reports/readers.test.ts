import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { Finding, ForgeReview } from '#domain/attestation/finding.ts';
import { REPORT_FORMATS, type ReportFormat } from '#domain/attestation/report-format.ts';
import { readReport } from '#adapters/reports/read-report.ts';
import { sample, jsonOf, readSample } from './_samples.ts';

const read = (format: ReportFormat, ...findings: readonly unknown[]): unknown => ({
  kind: 'read',
  format,
  findings,
  subjects: [],
});
const tests = (passed: number, failed: number, skipped: number, ...failures: readonly string[]): unknown =>
  read('junit', { kind: 'tests', passed, failed, skipped, failures });

describe('JUnit XML', () => {
  test('of Vitest: a file that did not load failed, and two failures of one test count once', () => {
    expect(readSample('vitest.xml')).toEqual(tests(1, 2, 2, 'a.test.ts > orders > fails <&>', 'b.test.ts > b.test.ts'));
  });

  test('of pytest: a failed teardown is an error, an expected failure is skipped', () => {
    const failed = ['test_x.TestOrders > test_fails', 'test_x > test_td', 'test_x > test_td2', 'test_x > test_td2'];
    expect(readSample('pytest.xml')).toEqual(tests(1, 4, 2, ...failed));
  });

  test('of Jest', () => {
    expect(readSample('jest.xml')).toEqual(tests(1, 1, 1, 'basket removes an item > basket removes an item'));
  });

  test('of Surefire: a test that passed when it was run again has passed, and a log is text', () => {
    expect(readSample('surefire.xml')).toEqual(tests(2, 1, 1, 'org.example.OrdersTest > connects'));
  });

  test('of nested suites, each counting what is in it or what is directly in it', () => {
    const inner = '<testsuite name="b" tests="1"><testcase name="x"/></testsuite>';
    const outer = (count: number): string =>
      `<testsuites><testsuite name="a" tests="${count}">${inner}<testcase name="y"/></testsuite></testsuites>`;
    expect(readReport(Buffer.from(outer(1)))).toEqual(tests(2, 0, 0));
    expect(readReport(Buffer.from(outer(2)))).toEqual(tests(2, 0, 0));
  });

  test('by status, where a writer has no element for it', () => {
    const cases =
      '<testcase name="a" status="notrun"/><testcase name="b" result="failed"/><testcase name="c" status="run"/>';
    expect(readReport(Buffer.from(`<testsuite>${cases}</testsuite>`))).toEqual(tests(1, 1, 1, 'b'));
  });

  test('names the first of many failures, and counts all', () => {
    const failed = Array.from({ length: 20 }, (_, index) => `<testcase name="t${index}\u202e"><failure/></testcase>`);
    const names = Array.from({ length: 8 }, (_, index) => `t${index}\uFFFD`);
    expect(readReport(Buffer.from(`<testsuite>${failed.join('')}</testsuite>`))).toEqual(tests(0, 20, 0, ...names));
  });
});

describe('SARIF', () => {
  test('of CodeQL: scores of rules in an extension; what is suppressed, but not what is still under review', () => {
    expect(readSample('codeql.sarif.json')).toEqual(
      read('sarif', {
        kind: 'scan',
        tool: 'codeql',
        checked: 4,
        open: [
          { id: 'py/code-injection', severity: 'critical', of: 'app/rules.py:9' },
          { id: 'py/sql-injection', severity: 'high', of: 'app/db.py:12' },
          { id: expect.stringMatching(/^py\/clear-text-logging-sensi~[0-9a-f]{12}$/), severity: 'medium', of: '' },
          { id: 'py/unused-import', severity: 'low', of: '' },
        ],
        more: 0,
        suppressed: 1,
      }),
    );
  });

  test('of several tools: a finding for each; without a score by level, and none is unknown', () => {
    const open = [
      { id: 'no-exec', severity: 'unknown', of: '' },
      { id: 'no-eval', severity: 'medium', of: '' },
    ];
    expect(readSample('several.sarif.json')).toEqual(
      read(
        'sarif',
        {
          kind: 'scan',
          tool: 'trivy',
          checked: 2,
          open: [{ id: 'CVE-2025-66418', severity: 'high', of: 'requirements.txt:1' }],
          more: 0,
          suppressed: 0,
        },
        { kind: 'scan', tool: 'semgrep oss', checked: null, open, more: 0, suppressed: 0 },
      ),
    );
  });

  test.for([
    ['9.0', 'critical'],
    [8.9, 'high'],
    ['7.0', 'high'],
    ['6.9', 'medium'],
    ['4', 'medium'],
    ['3.9', 'low'],
    ['0.0', 'low'],
  ] as const)('a score of %s is %s', ([score, severity]) => {
    const rules = [{ id: 'r', properties: { 'security-severity': score } }];
    const run = { tool: { driver: { name: 'x', rules } }, results: [{ ruleId: 'r/part' }] };
    const answer = readReport(Buffer.from(JSON.stringify({ version: '2.1.0', runs: [run] })));
    expect(answer).toMatchObject({ findings: [{ open: [{ id: 'r/part', severity }] }] });
  });

  test.for(['pip-audit', 'NPM-Audit', 'artifact'])('is not written by %s, which reports otherwise', (name) => {
    const run = { tool: { driver: { name } }, results: [] };
    const answer = readReport(Buffer.from(JSON.stringify({ version: '2.1.0', runs: [run] })));
    expect(answer).toMatchObject({ kind: 'refused', refusal: { rule: 'report-format' } });
  });

  test('names the worst of many, and counts the rest', () => {
    const results = Array.from({ length: 30 }, (_, index) => ({
      ruleId: `r${index}`,
      level: index === 29 ? 'error' : 'note',
    }));
    const run = { tool: { driver: { name: 'x' } }, results };
    const answer = readReport(Buffer.from(JSON.stringify({ version: '2.1.0', runs: [run] })));
    expect(answer).toMatchObject({ findings: [{ more: 18 }] });
    expect(answer.kind === 'read' && answer.findings[0]?.kind === 'scan' && answer.findings[0].open[0]).toEqual({
      id: 'r29',
      severity: 'high',
      of: '',
    });
  });
});

describe('audits of dependencies', () => {
  test('pip-audit: no severity is known, what it skipped is suppressed', () => {
    const open = ['PYSEC-2019-217', 'PYSEC-2021-66'].map((id) => ({ id, severity: 'unknown', of: 'jinja2 2.10' }));
    expect(readSample('pip-audit.json')).toEqual(
      read('pip-audit', { kind: 'scan', tool: 'pip-audit', checked: 2, open, more: 0, suppressed: 1 }),
    );
  });

  test('npm audit: each advisory once, moderate is medium, info is low', () => {
    expect(readSample('npm-audit.json')).toEqual(
      read('npm-audit', {
        kind: 'scan',
        tool: 'npm-audit',
        checked: 3,
        open: [
          { id: 'GHSA-xvch-5gv4-984h', severity: 'critical', of: 'minimist' },
          { id: 'GHSA-vh95-rmgr-6w4m', severity: 'medium', of: 'minimist' },
          { id: 'npm-1001', severity: 'low', of: 'tiny' },
        ],
        more: 0,
        suppressed: 0,
      }),
    );
  });
});

describe('load', () => {
  test('k6 --summary-export: its duration is count by rate, its latency that of the expected answers', () => {
    expect(readSample('k6-summary-export.json')).toEqual(
      read('k6', {
        kind: 'load',
        requests: 1000,
        failed: 10,
        seconds: 1000 / 99.82,
        throughput: 990 / (1000 / 99.82),
        latencyMs: { p50: 18.1, p99: 104.3 },
      }),
    );
  });

  test('k6 handleSummary: without p(99), which a script must ask for, there is none', () => {
    expect(readSample('k6-handle-summary.json')).toEqual(
      read('k6', {
        kind: 'load',
        requests: 1000,
        failed: 0,
        seconds: 10.0184,
        throughput: 1000 / 10.0184,
        latencyMs: { p50: 18.2, p99: null },
      }),
    );
  });

  test('autocannon: an answer that is no 2xx has failed', () => {
    expect(readSample('autocannon.json')).toEqual(
      read('autocannon', {
        kind: 'load',
        requests: 7619,
        failed: 153,
        seconds: 2.03,
        throughput: 7466 / 2.03,
        latencyMs: { p50: 0, p99: 6 },
      }),
    );
  });
});

describe('an in-toto test result', () => {
  const expected = {
    kind: 'read',
    format: 'in-toto-test-result',
    findings: [{ kind: 'tests', passed: 3, failed: 1, skipped: 0, failures: ['linux / integration'] }],
    subjects: ['1f0c2d3e4b5a69788796a5b4c3d2e1f001122334'],
  };

  test('tells its tests, and the commit that it is about', () => {
    expect(readSample('test-result.json')).toEqual(expected);
  });

  test('in an envelope is read, by whomever it is signed', () => {
    const envelope = {
      payloadType: 'application/vnd.in-toto+json',
      payload: sample('test-result.json').toString('base64'),
      signatures: [{ keyid: '', sig: 'c2ln' }],
    };
    expect(readReport(Buffer.from(JSON.stringify(envelope)))).toEqual(expected);
  });
});

describe('reports', () => {
  const named = [
    ...['vitest.xml', 'pytest.xml', 'jest.xml', 'surefire.xml'].map((name) => ['junit', name] as const),
    ['sarif', 'codeql.sarif.json'],
    ['pip-audit', 'pip-audit.json'],
    ['npm-audit', 'npm-audit.json'],
    ['k6', 'k6-summary-export.json'],
    ['k6', 'k6-handle-summary.json'],
    ['autocannon', 'autocannon.json'],
    ['in-toto-test-result', 'test-result.json'],
    ['github-review', 'github-review.json'],
  ] as const;

  test.for(named)('of %s are read where that is wanted, packed or not, and nowhere else: %s', ([format, name]) => {
    const plain = readSample(name);
    expect(plain).toMatchObject({ kind: 'read', format });
    expect(readSample(name, format)).toEqual(plain);
    expect(readReport(gzipSync(sample(name)), format)).toEqual(plain);
    if (plain.kind !== 'read') return;
    for (const finding of plain.findings)
      expect((finding.kind === 'forge-review' ? ForgeReview : Finding).parse(finding)).toEqual(finding);
    for (const wanted of Object.keys(REPORT_FORMATS) as ReportFormat[])
      if (wanted !== format)
        expect(readSample(name, wanted)).toMatchObject({
          kind: 'refused',
          refusal: { rule: 'report-format', found: `the report is ${format}, not ${wanted}` },
        });
  });

  test('have one for each format', () => {
    expect(new Set(named.map(([format]) => format))).toEqual(new Set(Object.keys(REPORT_FORMATS)));
  });

  test('may begin with a byte order mark', () => {
    const marked = `\uFEFF${JSON.stringify(jsonOf('pip-audit.json'))}`;
    expect(readReport(Buffer.from(marked))).toEqual(readSample('pip-audit.json'));
  });
});
