import type { AttestedGate, Attestation, Producer, Subject } from '#domain/attestation/attestation.ts';
import type { Finding, ReviewFinding } from '#domain/attestation/finding.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { type AttestedCase, subjectsOf } from '#domain/gates/attested.ts';
import type { LoadTarget } from '#domain/gates/gates/load.ts';
import { judgeAttested } from '#domain/gates/judge-attested.ts';
import type { AttestationRule } from '#domain/policy/attestations.ts';

export const NOW = new Date('2026-06-01T12:00:00Z');
export const COMMIT = 'a'.repeat(40);
export const OTHER = 'b'.repeat(40);
const TREE = 'c'.repeat(40);
export const RELEASE = digestOf('release');

export const CI = {
  kind: 'ci',
  issuer: 'github',
  repositoryId: '42',
  repository: 'acme/models',
  workflow: 'acme/models/.github/workflows/attest.yml@refs/heads/main',
  event: 'push',
  ref: 'refs/heads/main',
  actor: 'ann-gh',
  run: 'https://github.com/acme/models/actions/runs/1/attempts/1',
} as const satisfies Producer;

export const STAGING = { kind: 'pipeline', environment: 'staging', execution: 'run-1' } as const satisfies Producer;
export const PERSON = { kind: 'person', subject: 'person:lea' } as const satisfies Producer;

const { issuer, repositoryId, workflow } = CI;
export const RULE: AttestationRule = {
  producers: [
    {
      gates: ['unit-tests', 'code-review', 'security-scan'],
      issuer,
      repositoryId,
      workflow,
      events: ['push'],
      refs: ['refs/heads/main'],
    },
  ],
  people: [],
  unitTests: { validDays: 90 },
  codeReview: { roles: ['ml-engineer', 'ml-lead'], count: 1 },
  integrationTests: { validDays: 30 },
  load: { validDays: 30, seconds: 10, connections: 2, failures: 0, shareOfBaseline: 0.8 },
  securityScan: { validDays: 7, severity: 'high', tools: ['artifact'], waivers: [] },
};

export const TESTS = { kind: 'tests', passed: 12, failed: 0, skipped: 1, failures: [] } as const satisfies Finding;
export const SCAN = {
  kind: 'scan',
  tool: 'artifact',
  checked: 6,
  open: [],
  more: 0,
  suppressed: 0,
} as const satisfies Finding;
export const LOAD = {
  kind: 'load',
  requests: 400,
  failed: 0,
  seconds: 10,
  throughput: 40,
  latencyMs: { p50: 20, p99: 90 },
} as const satisfies Finding;
export const REVIEW: ReviewFinding = {
  kind: 'review',
  url: 'https://github.com/acme/models/pull/7',
  authors: ['person:ann'],
  reviews: [{ by: 'person:bob', state: 'approved', head: OTHER, roles: ['ml-engineer'] }],
  head: { commit: OTHER, tree: TREE },
  merged: { commit: COMMIT, tree: TREE },
};

let seq = 0;

/** What is attested of a subject, an hour ago unless it is said otherwise. */
export function attests(gate: AttestedGate, finding: Finding, more: Partial<Attestation> = {}): Attestation {
  seq += 1;
  const isOfRelease =
    gate === 'integration-tests' || gate === 'load' || (finding.kind === 'scan' && finding.tool === 'artifact');
  const subject: Subject = isOfRelease ? { kind: 'release', release: RELEASE } : { kind: 'commit', commit: COMMIT };
  return {
    gate,
    model: 'flight-delay',
    subject,
    producer: isOfRelease ? STAGING : CI,
    environment: isOfRelease ? 'staging' : 'control',
    format: 'junit',
    report: digestOf('report'),
    finding,
    seq,
    record: digestOf(`record ${seq}`),
    at: new Date(NOW.getTime() - 3_600_000).toISOString(),
    ...more,
  };
}

export const daysAgo = (days: number): string => new Date(NOW.getTime() - days * 86_400_000).toISOString();

/** What a gate says of some attestations. */
export function judged(
  gate: AttestedGate,
  newest: readonly Attestation[],
  {
    rule = RULE,
    code = COMMIT,
    target = { objectiveMs: 100, baseline: null },
  }: {
    readonly rule?: AttestationRule;
    readonly code?: string;
    readonly target?: LoadTarget;
  } = {},
) {
  const given: AttestedCase = { subjects: subjectsOf(RELEASE, code), newest, rule, now: NOW };
  return judgeAttested(gate, given, target);
}
