import type { Attestation, AttestedGate } from '#domain/attestation/attestation.ts';
import { expiryOf, producerText, whyNotCounting } from '#domain/attestation/counting.ts';
import type { Finding } from '#domain/attestation/finding.ts';
import type { AttestationRule } from '#domain/policy/attestations.ts';
import { ago, type TableSection, shortTime } from '../../report.ts';

/** An attestation as people read it. */
export interface AttestationLine {
  readonly gate: AttestedGate;
  readonly says: string;
  readonly producer: string;
  readonly run: string | null;
  readonly at: string;
  readonly expiresAt: string | null;
  readonly counts: string;
}

/** What is attested of a release and its commit, newest first. */
export function attestationLines(
  attestations: readonly Attestation[],
  rule: AttestationRule | undefined,
  now: Date,
): readonly AttestationLine[] {
  return attestations
    .toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at))
    .map((each) => {
      const { gate, producer, at, finding } = each;
      const days = rule === undefined ? null : validDaysOf(gate, rule);
      const expires = days === null ? null : expiryOf(each, days);
      const isOver = expires !== null && !(expires > now);
      const why = rule === undefined ? 'the policy says nothing of attestations' : whyNotCounting(each, rule);
      return {
        gate,
        says: findingText(finding),
        producer: producerText(producer),
        run: producer.kind === 'ci' ? producer.run : null,
        at,
        expiresAt: expires?.toISOString() ?? null,
        counts: why ?? (isOver ? 'expired' : 'counts'),
      };
    });
}

/** The table of them. */
export function attestationsSection(lines: readonly AttestationLine[], now: Date): TableSection {
  return {
    title: 'attestations',
    columns: ['gate', 'says', 'by', 'run', 'age', 'expires', 'counts'],
    rows: lines.map(({ gate, says, producer, run, at, expiresAt, counts }) => [
      gate,
      says,
      producer,
      run ?? '-',
      ago(at, now),
      expiresAt === null ? 'with its commit' : shortTime(expiresAt),
      counts,
    ]),
    empty: 'nothing is attested of it',
  };
}

function validDaysOf(gate: AttestedGate, rule: AttestationRule): number | null {
  switch (gate) {
    case 'unit-tests':
      return rule.unitTests.validDays;
    case 'integration-tests':
      return rule.integrationTests.validDays;
    case 'load':
      return rule.load.validDays;
    case 'security-scan':
      return rule.securityScan.validDays;
    case 'code-review':
      return null;
  }
}

/** What was found, in a line. */
export function findingText(finding: Finding): string {
  switch (finding.kind) {
    case 'tests':
      return `${finding.passed} passed, ${finding.failed} failed, ${finding.skipped} skipped`;
    case 'load':
      return `p99 ${finding.latencyMs.p99 ?? 'unknown'} ms, ${finding.throughput.toFixed(1)}/s, ${finding.failed} of ${finding.requests} failed`;
    case 'scan':
      return `${finding.tool}: ${finding.open.length + finding.more} open, ${finding.suppressed} suppressed`;
    case 'review':
      return `of ${finding.authors.join(', ')} by ${finding.reviews.map(({ by, state }) => `${by} (${state})`).join(', ') || 'nobody'}`;
  }
}
