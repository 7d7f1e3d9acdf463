import { z } from 'zod';
import { ScanFinding } from '#domain/attestation/finding.ts';
import { Digest } from '#domain/canonical/digest.ts';
import {
  ArtifactScanReport,
  type CheckedRule,
  checkedRule,
  scanFinding,
} from '#domain/release-tests/artifact-rules.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import type { ArtifactScan } from '#ports/artifact-scan.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import { isBroken } from '#use-cases/verification/whole-release.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const ScanRelease = contract({
  input: z.object({ model: z.string(), release: Digest }),
  output: z.object({ finding: ScanFinding, report: Digest }),
});

interface Scanning {
  readonly releases: ArtifactStore;
  readonly documents: ArtifactStore;
  readonly scan: ArtifactScan;
}

/** Runs the rules for files of releases on a release, and loads none of them. */
export function scanRelease(deps: Scanning): Task {
  return ScanRelease.task(async ({ model, release }) => {
    const checks = await checksOf(deps, model, release);
    const report = { formatVersion: 1 as const, model, release, checks: [...checks] };
    return {
      finding: scanFinding(checks),
      report: await writeDocument(deps.documents, ArtifactScanReport, report),
    };
  });
}

async function checksOf({ releases, scan }: Scanning, model: string, release: Digest): Promise<readonly CheckedRule[]> {
  const files = new Map<string, Uint8Array>();
  try {
    // The manifest's schema knows which files a release has, and each file is hashed when it is read.
    const manifest = await readDocument(releases, ReleaseManifest, release);
    if (manifest.model !== model)
      return [checkedRule('release-files', 'the manifest', `the release is of model ${manifest.model}`)];
    for (const { path, sha256, size } of manifest.files) {
      const content = await releases.read(sha256);
      if (content.length !== size)
        return [checkedRule('release-files', path, `${content.length} bytes, the manifest says ${size}`)];
      files.set(path, content);
    }
  } catch (error) {
    if (!isBroken(error)) throw error;
    return [checkedRule('release-files', 'the release', error.message)];
  }
  const text = (path: string): string => new TextDecoder().decode(files.get(path));
  return [
    checkedRule('release-files', 'the release', undefined),
    ...scan.checkModel(files.get('model.onnx') ?? new Uint8Array()),
    ...(await scan.checkSql({ daily: text('features/daily.sql'), features: text('features/features.sql') })),
  ];
}
