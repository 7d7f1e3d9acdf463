import { describe, expect, it } from 'vitest';
import type { Attestation, AttestedGate } from '#domain/attestation/attestation.ts';
import { AttestedGate as Gates } from '#domain/attestation/attestation.ts';
import type { Finding } from '#domain/attestation/finding.ts';
import type { Verdict } from '#domain/gates/gate.ts';
import { judgeAttested } from '#domain/gates/judge-attested.ts';
import {
  attests,
  CI,
  COMMIT,
  daysAgo,
  judged,
  LOAD,
  NOW,
  OTHER,
  PERSON,
  RELEASE,
  REVIEW,
  RULE,
  SCAN,
  STAGING,
  TESTS,
} from './_attestations.ts';

const GOOD: Readonly<Record<AttestedGate, Attestation>> = {
  'unit-tests': attests('unit-tests', TESTS),
  'code-review': attests('code-review', REVIEW),
  'integration-tests': attests('integration-tests', TESTS),
  load: attests('load', LOAD),
  'security-scan': attests('security-scan', SCAN),
};

describe.each(Gates.options)('%s', (gate) => {
  it('passes what is attested by whose attestations count', () => {
    expect(judged(gate, [GOOD[gate]])).toMatchObject({ verdict: 'PASS' });
  });

  it('does not pass without an attestation, and names the command that gives one', () => {
    const { verdict, reasons } = judged(gate, []);
    expect(verdict).toBe('INCONCLUSIVE');
    expect(reasons.join()).toContain(`gatehouse attest ${gate}`);
  });

  it('does not pass where the policy says nothing of attestations', () => {
    const subjects = { release: RELEASE, commit: COMMIT, none: null };
    const given = { subjects, newest: [GOOD[gate]], rule: undefined, now: NOW };
    expect(judgeAttested(gate, given, { objectiveMs: 100, baseline: null }).verdict).toBe('INCONCLUSIVE');
  });

  it.each([
    ['a person whom the policy does not name', { producer: PERSON, environment: 'control' }],
    ['CI in the chain of staging', { producer: CI, environment: 'staging' }],
    ['a task of another environment', { producer: { ...STAGING, environment: 'dev' }, environment: 'dev' }],
    ['another issuer', { producer: { ...CI, issuer: 'gitlab' }, environment: 'control' }],
    ['another repository', { producer: { ...CI, repositoryId: '43' }, environment: 'control' }],
    [
      'another workflow',
      {
        producer: { ...CI, workflow: 'acme/models/.github/workflows/other.yml@refs/heads/main' },
        environment: 'control',
      },
    ],
    [
      'the workflow at another ref',
      { producer: { ...CI, workflow: CI.workflow.replace('main', 'evil') }, environment: 'control' },
    ],
    ['another branch', { producer: { ...CI, ref: 'refs/heads/evil' }, environment: 'control' }],
    ['another event', { producer: { ...CI, event: 'pull_request' }, environment: 'control' }],
  ] as const)('does not count the word of %s', (_who, by) => {
    const { verdict, reasons } = judged(gate, [{ ...GOOD[gate], ...by }]);
    expect(verdict).toBe('INCONCLUSIVE');
    expect(reasons.join()).toContain('does not count');
  });

  it('counts a person whom the policy names for it', () => {
    const claim = { ...GOOD[gate], producer: PERSON, environment: 'control' };
    const named = { ...RULE, people: [{ gates: [gate], subject: PERSON.subject }] };
    // What Gatehouse's own rules say of a release, nobody says in its place.
    const verdict = gate === 'security-scan' ? 'INCONCLUSIVE' : 'PASS';
    expect(judged(gate, [claim], { rule: named }).verdict).toBe(verdict);
    const other = {
      ...RULE,
      people: [{ gates: Gates.options.filter((each) => each !== gate), subject: PERSON.subject }],
    };
    expect(judged(gate, [claim], { rule: other }).verdict).toBe('INCONCLUSIVE');
  });

  it('goes by the newest word that counts, whatever was claimed since', () => {
    const finding = gate === 'security-scan' ? { ...SCAN, checked: 0 } : { ...TESTS, failed: 1 };
    const failing = { ...GOOD[gate], finding, seq: 900, record: RELEASE } as Attestation;
    const claim = { ...failing, producer: PERSON, environment: 'control', seq: 1000 } as const;
    expect(judged(gate, [GOOD[gate], claim]).verdict).toBe('PASS');
    expect(judged(gate, [failing]).verdict).not.toBe('PASS');
    if (gate !== 'security-scan') expect(judged(gate, [GOOD[gate], failing]).verdict).not.toBe('PASS');
  });
});

it.each([
  ['unit-tests', 90],
  ['integration-tests', 30],
  ['load', 30],
  ['security-scan', 7],
] as const)('%s expires after %i days', (gate, days) => {
  const fresh = { ...GOOD[gate], at: daysAgo(days - 0.01) };
  expect(judged(gate, [fresh])).toMatchObject({
    verdict: 'PASS',
    expiresAt: new Date(Date.parse(fresh.at) + days * 86_400_000).toISOString(),
  });
  const { verdict, reasons } = judged(gate, [{ ...GOOD[gate], at: daysAgo(days) }]);
  expect(verdict).toBe('INCONCLUSIVE');
  expect(reasons.join()).toContain('expired');
});

it('a review counts as long as its commit', () => {
  const { expiresAt, verdict } = judged('code-review', [attests('code-review', REVIEW, { at: daysAgo(900) })]);
  expect([verdict, expiresAt]).toEqual(['PASS', undefined]);
});

it.each(['unit-tests', 'code-review'] as const)('%s fails of what no commit has', (gate) => {
  for (const code of [`${COMMIT}+changes`, 'no-repository'])
    expect(judged(gate, [GOOD[gate]], { code }).verdict).toBe('FAIL');
});

it.each<readonly [string, AttestedGate, Finding, Verdict, string]>([
  ['no test was run', 'unit-tests', { ...TESTS, passed: 0, skipped: 0 }, 'INCONCLUSIVE', 'no test was run'],
  ['all are skipped', 'integration-tests', { ...TESTS, passed: 0, skipped: 3 }, 'INCONCLUSIVE', 'all 3 tests'],
  ['one fails', 'unit-tests', { ...TESTS, failed: 1, failures: ['adds'] }, 'FAIL', '1 of 13 tests failed: adds'],
  ['a finding of another kind', 'unit-tests', LOAD, 'FAIL', 'not tests'],
  ['a request fails', 'load', { ...LOAD, failed: 1 }, 'FAIL', '1 of 400 requests failed'],
  ['it is slow', 'load', { ...LOAD, latencyMs: { p50: 20, p99: 101 } }, 'FAIL', 'the objective is 100 ms'],
  ['no p99', 'load', { ...LOAD, latencyMs: { p50: 20, p99: null } }, 'INCONCLUSIVE', 'nothing was measured'],
  ['no request', 'load', { ...LOAD, requests: 0 }, 'INCONCLUSIVE', 'nothing was measured'],
  ['nothing was checked', 'security-scan', { ...SCAN, checked: 0 }, 'INCONCLUSIVE', 'that anything was checked'],
  ['all is suppressed', 'security-scan', { ...SCAN, suppressed: 6 }, 'INCONCLUSIVE', 'suppressed'],
  [
    'nobody says what was checked',
    'security-scan',
    { ...SCAN, checked: null, suppressed: 1 },
    'INCONCLUSIVE',
    'that anything was checked',
  ],
  [
    'a grave one is open',
    'security-scan',
    { ...SCAN, open: [{ id: 'V-1', severity: 'high', of: 'lib' }] },
    'FAIL',
    'V-1 (high, lib)',
  ],
  [
    'one of unknown severity is open',
    'security-scan',
    { ...SCAN, open: [{ id: 'V-1', severity: 'unknown', of: '' }] },
    'FAIL',
    'V-1 (unknown)',
  ],
  [
    'only slight ones are open',
    'security-scan',
    { ...SCAN, open: [{ id: 'V-1', severity: 'medium', of: 'lib' }], more: 3 },
    'PASS',
    'nothing of severity high',
  ],
])('%s: %s is %s', (_what, gate, finding, verdict, reason) => {
  const result = judged(
    gate,
    [attests(gate, finding, GOOD[gate])].map((each) => ({ ...each, finding })),
  );
  expect([result.verdict, result.reasons.join()]).toEqual([verdict, expect.stringContaining(reason)]);
});

describe('load', () => {
  it.each([
    [null, 'PASS'],
    [50, 'PASS'],
    [50.1, 'FAIL'],
  ] as const)('with 40 requests a second and 0.8 of a baseline of %s is %s', (baseline, verdict) => {
    expect(judged('load', [GOOD.load], { target: { objectiveMs: 100, baseline } }).verdict).toBe(verdict);
  });

  it('goes by the figure that the policy pins, whatever was measured before', () => {
    const rule = { ...RULE, load: { ...RULE.load, baseline: 60 } };
    expect(judged('load', [GOOD.load], { rule, target: { objectiveMs: 100, baseline: 1 } }).verdict).toBe('FAIL');
  });

  it('does not apply to a model that answers no requests', () => {
    expect(judged('load', [], { target: { objectiveMs: null, baseline: null } }).verdict).toBe('NOT_APPLICABLE');
  });
});

describe('code review', () => {
  const bob = { by: 'person:bob', state: 'approved', head: OTHER, roles: ['ml-engineer'] } as const;
  it.each([
    ['by an author', { reviews: [{ ...bob, by: 'person:ann' }] }, 'person:ann is an author'],
    ['by a robot', { reviews: [{ ...bob, by: 'robot:dependabot[bot]', roles: [] }] }, 'roles none'],
    ['by somebody of another team', { reviews: [{ ...bob, roles: ['platform'] }] }, 'platform, not ml-engineer'],
    ['of an earlier commit', { reviews: [{ ...bob, head: COMMIT }] }, 'before the last commit'],
    ['of nobody', { reviews: [] }, '0 of 1 approvals'],
    [
      'with an objection',
      { reviews: [bob, { ...bob, by: 'forge:eve', state: 'changes-requested', roles: [] }] },
      'forge:eve requested changes',
    ],
    ['of another tree', { merged: { commit: COMMIT, tree: 'd'.repeat(40) } }, 'is not what was reviewed'],
    ['of another commit', { merged: { commit: OTHER, tree: 'c'.repeat(40) } }, 'it is the review of'],
  ] as const)('%s fails', (_what, more, reason) => {
    const { verdict, reasons } = judged('code-review', [attests('code-review', { ...REVIEW, ...more } as Finding)]);
    expect([verdict, reasons.join()]).toEqual(['FAIL', expect.stringContaining(reason)]);
  });

  it('counts each reviewer once', () => {
    const rule = { ...RULE, codeReview: { ...RULE.codeReview, count: 2 } };
    const twice = attests('code-review', { ...REVIEW, reviews: [...REVIEW.reviews, ...REVIEW.reviews] });
    expect(judged('code-review', [twice], { rule }).verdict).toBe('FAIL');
  });
});

describe('security scan', () => {
  const tools = { ...RULE, securityScan: { ...RULE.securityScan, tools: ['artifact', 'pip-audit'] } };
  const audit = attests('security-scan', { ...SCAN, tool: 'pip-audit' });

  it('needs every tool that the policy names', () => {
    const { verdict, reasons } = judged('security-scan', [GOOD['security-scan']], { rule: tools });
    expect([verdict, reasons.join()]).toEqual([
      'INCONCLUSIVE',
      expect.stringContaining(`commit ${COMMIT} by pip-audit`),
    ]);
    expect(judged('security-scan', [GOOD['security-scan'], audit], { rule: tools }).verdict).toBe('PASS');
  });

  it('fails by any scan that counts, asked for or not: a clean one of another tool hides nothing', () => {
    const open = [{ id: 'V-1', severity: 'critical', of: 'lib' }] as const;
    const bad = attests('security-scan', { ...SCAN, tool: 'codeql', open: [...open] });
    expect(judged('security-scan', [bad, GOOD['security-scan'], audit], { rule: tools }).verdict).toBe('FAIL');
  });

  it.each([
    ['2026-06-01', '2026-06-30', 'PASS'],
    ['2026-05-01', '2026-05-31', 'FAIL'],
    ['2026-06-02', '2026-06-30', 'FAIL'],
  ])('goes by a waiver from %s until %s: %s', (from, until, verdict) => {
    const waivers = [{ tool: 'pip-audit', id: 'V-1', reason: 'not reachable from here', from, until }];
    const rule = { ...RULE, securityScan: { ...RULE.securityScan, waivers } };
    const open = [{ id: 'V-1', severity: 'critical' as const, of: 'lib' }];
    const scan = attests('security-scan', { ...SCAN, tool: 'pip-audit', open });
    const { verdict: found, expiresAt } = judged('security-scan', [GOOD['security-scan'], scan], { rule });
    expect(found).toBe(verdict);
    // A verdict does not outlive the waiver that it rests on.
    if (verdict === 'PASS') expect(expiresAt?.slice(0, 10) ?? '').not.toBe('');
    // The same id of another tool is another thing.
    const other = attests('security-scan', { ...SCAN, tool: 'codeql', open });
    expect(judged('security-scan', [GOOD['security-scan'], other], { rule }).verdict).toBe('FAIL');
  });

  it('fails where there are grave ones that the record does not name', () => {
    const id = (nth: number) => ({ id: `V-${nth}`, severity: 'high' as const, of: 'lib' });
    const open = Array.from({ length: 12 }, (_, nth) => id(nth));
    const waivers = open.map((each) => ({
      tool: 'pip-audit',
      id: each.id,
      reason: 'not reachable',
      from: '2026-06-01',
      until: '2026-06-02',
    }));
    const rule = { ...RULE, securityScan: { ...RULE.securityScan, waivers } };
    const of = (more: number) => [
      GOOD['security-scan'],
      attests('security-scan', { ...SCAN, tool: 'pip-audit', open, more }),
    ];
    expect(judged('security-scan', of(0), { rule }).verdict).toBe('PASS');
    expect(judged('security-scan', of(1), { rule }).verdict).toBe('FAIL');
  });

  it('takes what is scanned besides of the commit only, and forgets a clean scan that nobody asks for', () => {
    const bad = attests('security-scan', {
      ...SCAN,
      tool: 'pip-audit',
      open: [{ id: 'V-1', severity: 'critical', of: 'lib' }],
    });
    const elsewhere = attests(
      'security-scan',
      { ...SCAN, tool: 'pip-audit' },
      {
        subject: { kind: 'release', release: RELEASE },
      },
    );
    expect(judged('security-scan', [GOOD['security-scan'], bad, elsewhere]).verdict).toBe('FAIL');
    const old = attests('security-scan', { ...SCAN, tool: 'codeql' }, { at: daysAgo(30) });
    expect(judged('security-scan', [GOOD['security-scan'], old]).verdict).toBe('PASS');
    const oldAndBad = { ...bad, at: daysAgo(30) };
    expect(judged('security-scan', [GOOD['security-scan'], oldAndBad]).verdict).toBe('INCONCLUSIVE');
  });

  it('needs a commit for what scans one', () => {
    const { reasons } = judged('security-scan', [GOOD['security-scan']], { rule: tools, code: `${COMMIT}+changes` });
    expect(reasons.join()).toContain('no commit to scan by pip-audit');
  });
});
