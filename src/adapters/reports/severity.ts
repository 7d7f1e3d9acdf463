import type { ScanFinding, Severity } from '#domain/attestation/finding.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { shown } from './reading.ts';

export interface Vulnerability {
  readonly id: string;
  readonly severity: Severity;
  /** Of what it is: a package with its version, or a place in a file. */
  readonly of: string;
}

/** The worst first; what is unknown may be as bad as anything. */
const ORDER: Readonly<Record<Severity, number>> = { unknown: 0, critical: 1, high: 2, medium: 3, low: 4 };

/** How many vulnerabilities a finding names. */
const NAMED = 12;

/**
 * The severity of a CVSS score from 0 to 10, by the bins of version 3.
 * Source: https://www.first.org/cvss/v3.1/specification-document#Qualitative-Severity-Rating-Scale
 */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  return score >= 4 ? 'medium' : 'low';
}

export function bySeverity(a: Severity, b: Severity): number {
  return ORDER[a] - ORDER[b];
}

/** What a scan came to. */
export function scanFinding(
  tool: string,
  checked: number | null,
  vulnerabilities: readonly Vulnerability[],
  suppressed: number,
): ScanFinding {
  const sorted = vulnerabilities.toSorted(
    (a, b) => bySeverity(a.severity, b.severity) || compare(a.id, b.id) || compare(a.of, b.of),
  );
  const open = sorted.slice(0, NAMED).map(({ id, severity, of }) => ({ id: shortId(id), severity, of: shown(of, 60) }));
  return { kind: 'scan', tool, checked, open, more: sorted.length - open.length, suppressed };
}

/** An id as it is recorded and waived: of one that is too long its end is a digest, so that no two are the same. */
function shortId(id: string): string {
  const whole = shown(id, 1000);
  if (whole.length <= 40) return whole || 'no id';
  return `${whole.slice(0, 27)}~${digestOf(id).slice('sha256:'.length, 'sha256:'.length + 12)}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
