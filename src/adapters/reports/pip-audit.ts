import { z } from 'zod';
import { type Reading, refused, said, shaped } from './reading.ts';
import { scanFinding } from './severity.ts';

const Skipped = z.object({ name: z.string(), skip_reason: z.string() });
const Audited = z.object({
  name: z.string(),
  version: z.string(),
  vulns: z.array(z.object({ id: z.string().min(1) })),
});
const Report = z.object({ dependencies: z.array(z.unknown()) });

/**
 * `pip-audit --format json`. It tells no severity, so each is unknown; a dependency that it skipped counts as suppressed.
 * Source: https://github.com/pypa/pip-audit#usage
 */
export function readPipAudit(value: unknown): Reading {
  if (Array.isArray(value))
    return refused('report-version', 'a list, as pip-audit before 2.0 writes it', 'run pip-audit of version 2');
  const report = shaped(Report, value, 'pip-audit');
  if (report.kind === 'refused') return report;
  const vulnerabilities = [];
  let checked = 0;
  let skipped = 0;
  for (const [index, dependency] of report.value.dependencies.entries()) {
    const where = `pip-audit, dependencies.${index}`;
    if (isSkipped(dependency)) {
      const skip = shaped(Skipped, dependency, where);
      if (skip.kind === 'refused') return skip;
      if (Object.hasOwn(dependency, 'vulns'))
        return refused('report-consistent', `${where}: ${skip.value.name} is skipped and audited`);
      skipped += 1;
      continue;
    }
    const audited = shaped(Audited, dependency, where);
    if (audited.kind === 'refused') return audited;
    const { name, version, vulns } = audited.value;
    checked += 1;
    for (const { id } of vulns) vulnerabilities.push({ id, severity: 'unknown' as const, of: `${name} ${version}` });
  }
  return said(scanFinding('pip-audit', checked, vulnerabilities, skipped));
}

const isSkipped = (dependency: unknown): dependency is object =>
  typeof dependency === 'object' && dependency !== null && Object.hasOwn(dependency, 'skip_reason');
