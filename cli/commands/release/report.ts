import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Registration } from '#domain/release/registration.ts';
import { EvaluationReport } from '#domain/report/evaluation-report.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { refuse } from '../../refusal.ts';
import type { Report } from '../../report.ts';

/** Where the page of a release is written. */
export function pageOf(home: string, { model, version }: Pick<Registration, 'model' | 'version'>): string {
  return join(home, 'reports', `${model}-${version}.html`);
}

/** Fetches a release's report, page and data, which the store hashes again, and writes the page to a file. */
export async function fetchReport(store: ArtifactStore, registration: Registration, file: string): Promise<Report> {
  const { model, version, kind, report } = registration;
  if (report === undefined) {
    const why =
      kind === 'baseline'
        ? 'a baseline is compared with nothing: see the report of a release that had to beat it'
        : `reports are written when a run compares its candidates with a champion: gatehouse run start ${model}`;
    return refuse('release-reported', `${model}@${version} has no evaluation report`, why);
  }
  const [html, json] = await Promise.all([store.read(report.html), readDocument(store, EvaluationReport, report.json)]);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, html);
  return {
    data: json,
    sections: [
      {
        title: `${model}@${version}: evaluation report`,
        lines: [`  page   ${file}`, `  html   ${report.html}`, `  json   ${report.json}  (-o json prints it)`],
      },
    ],
  };
}

const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', linux: 'xdg-open', win32: 'explorer' };

/** Opens a file as the platform does; a machine without a browser has its path. */
export function openFile(file: string): void {
  const opener = OPENERS[process.platform];
  if (opener === undefined) return;
  const child = spawn(opener, [file], { detached: true, stdio: 'ignore' });
  child.on('error', () => undefined);
  child.unref();
}
