import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readReport } from '#adapters/reports/read-report.ts';
import type { ReportFormat } from '#domain/attestation/report-format.ts';

export const captured = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'captured', name));

/** A captured report as its JSON, to change something in it. */
export const jsonOf = (name: string): unknown => JSON.parse(captured(name).toString());

/** What is read of a captured report: its format, its findings, its subjects. */
export const readCaptured = (name: string, wanted?: ReportFormat): ReturnType<typeof readReport> =>
  readReport(captured(name), wanted);

/** The rule that refuses a text or a value, or what was read. */
export function refusing(report: unknown): string {
  const text = typeof report === 'string' ? report : JSON.stringify(report);
  return refusingBytes(Buffer.from(text));
}

export function refusingBytes(bytes: Uint8Array): string {
  const answer = readReport(bytes);
  return answer.kind === 'refused' ? answer.refusal.rule : `read ${answer.format}`;
}
