import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readReport } from '#adapters/reports/read-report.ts';
import type { ReportFormat } from '#domain/attestation/report-format.ts';

export const sample = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'samples', name));

/** A sample report as its JSON, to change something in it. */
export const jsonOf = (name: string): unknown => JSON.parse(sample(name).toString());

/** What is read of a sample report: its format, its findings, its subjects. */
export const readSample = (name: string, wanted?: ReportFormat): ReturnType<typeof readReport> =>
  readReport(sample(name), wanted);

/** The rule that refuses a text or a value, or what was read. */
export function refusing(report: unknown): string {
  const text = typeof report === 'string' ? report : JSON.stringify(report);
  return refusingBytes(Buffer.from(text));
}

export function refusingBytes(bytes: Uint8Array): string {
  const answer = readReport(bytes);
  return answer.kind === 'refused' ? answer.refusal.rule : `read ${answer.format}`;
}
