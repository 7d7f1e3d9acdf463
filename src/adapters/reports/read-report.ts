import type { Finding, ForgeReview } from '#domain/attestation/finding.ts';
import type { ReportFormat } from '#domain/attestation/report-format.ts';
import { readAutocannon } from './autocannon.ts';
import { readGithubReview } from './github-review.ts';
import { readInToto } from './in-toto.ts';
import { jsonOf } from './json.ts';
import { readJunit } from './junit.ts';
import { readK6 } from './k6.ts';
import { readNpmAudit } from './npm-audit.ts';
import { readPipAudit } from './pip-audit.ts';
import { type Reading, type Refused, refused } from './reading.ts';
import { readSarif } from './sarif.ts';
import { textOf } from './text-of.ts';

export interface ReadReport {
  readonly kind: 'read';
  readonly format: ReportFormat;
  /** What the report says: one finding, of a SARIF one for each tool. */
  readonly findings: readonly (Finding | ForgeReview)[];
  /** The commits that the report says it is about: who attests it of a commit compares. Empty where its format names none. */
  readonly subjects: readonly string[];
}

type JsonFormat = Exclude<ReportFormat, 'junit'>;

interface Format {
  /** Whether an object with these fields is meant to be of the format, in whatever version. */
  readonly isMeant: (has: (field: string) => boolean) => boolean;
  readonly read: (value: unknown) => Reading;
}

const FORMATS: Readonly<Record<JsonFormat, Format>> = {
  sarif: { isMeant: (has) => has('runs'), read: readSarif },
  'pip-audit': { isMeant: (has) => has('dependencies') && !has('metadata'), read: readPipAudit },
  'npm-audit': {
    isMeant: (has) => has('auditReportVersion') || (has('advisories') && has('metadata')) || has('error'),
    read: readNpmAudit,
  },
  k6: { isMeant: (has) => has('metrics'), read: readK6 },
  autocannon: { isMeant: (has) => has('latency') && has('requests') && has('non2xx'), read: readAutocannon },
  'in-toto-test-result': { isMeant: (has) => has('predicateType') || has('payloadType'), read: readInToto },
  'github-review': { isMeant: (has) => has('pull') && has('reviews'), read: readGithubReview },
};

/**
 * Reads a report of a tool or a forge, which anybody may have written: what is not exactly of a known format is refused, nothing is
 * thrown. The format is recognised by content; one that was `wanted` must be it.
 */
export function readReport(bytes: Uint8Array, wanted?: ReportFormat): ReadReport | Refused {
  const plain = textOf(bytes);
  if (plain.kind === 'refused') return plain;
  const { text } = plain;
  if (/^\s*</.test(text)) return answer('junit', wanted, () => readJunit(text));
  const json = jsonOf(text);
  if (json.kind === 'refused') return json;
  const [format, other] = formatsOf(json.value);
  if (format === undefined) return unrecognised('the report is of no format that is read');
  if (other !== undefined) return unrecognised(`the report could be ${format} or ${other}`);
  return answer(format, wanted, () => FORMATS[format].read(json.value));
}

function answer(format: ReportFormat, wanted: ReportFormat | undefined, read: () => Reading): ReadReport | Refused {
  if (wanted !== undefined && wanted !== format) return unrecognised(`the report is ${format}, not ${wanted}`);
  const reading = read();
  if (reading.kind === 'refused') return reading;
  return { kind: 'read', format, findings: reading.findings, subjects: reading.subjects };
}

function unrecognised(found: string): Refused {
  const formats = ['junit', ...Object.keys(FORMATS)].join(', ');
  return refused('report-format', found, `attest a report in one of ${formats}`);
}

function formatsOf(value: unknown): readonly JsonFormat[] {
  if (typeof value !== 'object' || value === null) return [];
  // Until version 2, pip-audit wrote a list.
  if (Array.isArray(value)) return value.some((each) => isObject(each) && 'vulns' in each) ? ['pip-audit'] : [];
  const has = (field: string): boolean => Object.hasOwn(value, field);
  return (Object.keys(FORMATS) as JsonFormat[]).filter((format) => FORMATS[format].isMeant(has));
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
