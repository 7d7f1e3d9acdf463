import type { AttestationRule } from '#domain/policy/attestations.ts';

/** Whose attestations count, with the numbers of the organisation's floor. */
export const ATTESTATIONS: AttestationRule = {
  producers: [],
  people: [],
  unitTests: { validDays: 90 },
  codeReview: { roles: ['ml-engineer', 'ml-lead'], count: 1 },
  integrationTests: { validDays: 30 },
  load: { validDays: 30, seconds: 10, connections: 2, failures: 0, shareOfBaseline: 0.5 },
  securityScan: { validDays: 7, severity: 'high', tools: ['artifact'], waivers: [] },
};

/** A CI job whose attestations count. */
export const PRODUCER: AttestationRule['producers'][number] = {
  gates: ['unit-tests'],
  issuer: 'github',
  repositoryId: '1',
  workflow: 'acme/models/.github/workflows/attest.yml@refs/heads/main',
  events: ['push'],
  refs: ['refs/heads/main'],
};

/** A finding that does not count for a while. */
export const WAIVER: AttestationRule['securityScan']['waivers'][number] = {
  tool: 'pip-audit',
  id: 'CVE-1',
  reason: 'is not reachable from here',
  from: '2026-12-01',
  until: '2026-12-31',
};
