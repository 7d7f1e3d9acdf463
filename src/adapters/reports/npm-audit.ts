import { z } from 'zod';
import type { Severity } from '#domain/attestation/finding.ts';
import { Count, type Reading, refused, said, shaped } from './reading.ts';
import { bySeverity, scanFinding, type Vulnerability } from './severity.ts';

const Level = z.enum(['info', 'low', 'moderate', 'high', 'critical']);
type Level = z.infer<typeof Level>;

const Advisory = z.object({
  source: z.union([z.number(), z.string()]),
  name: z.string(),
  url: z.string().optional(),
  severity: Level,
});

const Report = z.object({
  vulnerabilities: z.record(
    z.string(),
    z.object({ name: z.string(), severity: Level, via: z.array(z.union([z.string(), Advisory])).min(1) }),
  ),
  metadata: z.object({
    vulnerabilities: z.object({
      info: Count,
      low: Count,
      moderate: Count,
      high: Count,
      critical: Count,
      total: Count,
    }),
    dependencies: z.object({ total: Count }).optional(),
  }),
});

const SEVERITY: Readonly<Record<Level, Severity>> = {
  info: 'low',
  low: 'low',
  moderate: 'medium',
  high: 'high',
  critical: 'critical',
};

/**
 * `npm audit --json` of npm 7 and later. Each advisory counts once for each package that has it; a package that is vulnerable only
 * by what it depends on names that.
 * Source: https://docs.npmjs.com/cli/v11/commands/npm-audit
 */
export function readNpmAudit(value: unknown): Reading {
  const head = shaped(z.object({ auditReportVersion: z.unknown(), error: z.unknown() }).partial(), value, 'npm audit');
  if (head.kind === 'refused') return head;
  if (head.value.error !== undefined)
    return refused('report-complete', 'npm audit ended with an error', 'run npm audit where it reaches its registry');
  const { auditReportVersion: version } = head.value;
  if (version !== 2)
    return refused(
      'report-version',
      `auditReportVersion is ${JSON.stringify(version) ?? 'not there'}, not 2`,
      'use npm 7 or later',
    );
  const report = shaped(Report, value, 'npm audit');
  if (report.kind === 'refused') return report;
  const { vulnerabilities, metadata } = report.value;
  const packages = Object.entries(vulnerabilities);

  const advisories = new Map<string, Vulnerability>();
  for (const [key, { name, via }] of packages) {
    if (key !== name) return refused('report-consistent', `vulnerabilities.${key} is of ${name}`);
    for (const each of via) {
      if (typeof each === 'string') {
        if (!Object.hasOwn(vulnerabilities, each))
          return refused('report-consistent', `vulnerabilities.${key} is vulnerable by ${each}, which is not named`);
        continue;
      }
      const id = /GHSA(?:-[0-9a-z]{4}){3}$/.exec(each.url ?? '')?.[0] ?? `npm-${each.source}`;
      advisories.set(JSON.stringify([id, each.name]), { id, severity: SEVERITY[each.severity], of: each.name });
    }
  }
  const found = [...advisories.values()];
  const worstPackage = packages.map(([, { severity }]) => SEVERITY[severity]).toSorted(bySeverity)[0];
  const worst = found.map(({ severity }) => severity).toSorted(bySeverity)[0];
  if (worstPackage !== worst)
    return refused('report-consistent', `the worst package is ${worstPackage}, the worst advisory ${worst ?? 'none'}`);
  for (const level of Level.options) {
    const named = packages.filter(([, { severity }]) => severity === level).length;
    if (metadata.vulnerabilities[level] !== named)
      return refused(
        'report-consistent',
        `metadata counts ${metadata.vulnerabilities[level]} ${level}, ${named} are named`,
      );
  }
  if (metadata.vulnerabilities.total !== packages.length)
    return refused(
      'report-consistent',
      `metadata counts ${metadata.vulnerabilities.total}, ${packages.length} are named`,
    );
  return said(scanFinding('npm-audit', metadata.dependencies?.total ?? null, found, 0));
}
