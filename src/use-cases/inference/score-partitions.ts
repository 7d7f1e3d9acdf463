import { join } from 'node:path';
import type { Digest } from '#domain/canonical/digest.ts';
import { predictionDigest, ScoreBatch } from '#domain/data/feature-work.ts';
import { fileOf, openManifest } from '#domain/release/manifest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Lake } from '#ports/lake.ts';
import type { Scoring } from '#ports/scoring.ts';
import { definitionOf } from '#use-cases/data/catalogue.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { type Task, task } from '#use-cases/task.ts';

export interface ScoringDeps {
  readonly scoring: Scoring;
  readonly scorer: Digest;
  readonly lake: Lake;
  readonly releases: ArtifactStore;
}

/** Scores feature partitions by a release, each once: what is scored already, or not built, is passed over. */
export function scorePartitions(deps: ScoringDeps): Task {
  return task(ScoreBatch, async ({ model, release, features }) => {
    const manifest = openManifest(await deps.releases.read(release));
    const { definition } = await definitionOf(deps.releases, release);
    const onnx = await deps.releases.read(fileOf(manifest, 'model.onnx').sha256);
    const refusals: { day: string; rule: string; found: string }[] = [];
    let scored = 0;
    let rows = 0;
    await withFolder(async (folder) => {
      for (const { day, digest } of features) {
        const name = predictionDigest(digest, release, deps.scorer);
        if ((await deps.lake.find('predictions', model, name)) !== undefined) continue;
        if ((await deps.lake.find('features', model, digest)) === undefined) {
          refusals.push({ day, rule: 'features-built', found: `features ${digest} are not built` });
          continue;
        }
        const out = join(folder, `predictions-${day}.parquet`);
        const result = await deps.scoring.score(
          onnx,
          definition,
          await deps.lake.fetch('features', model, digest, folder),
          out,
        );
        if (result.kind === 'refused') {
          refusals.push({ day, rule: result.refusal.rule, found: result.refusal.found.slice(0, 300) });
          continue;
        }
        await deps.lake.store('predictions', model, name, { path: out, sha256: result.sha256, rows: result.rows });
        scored += 1;
        rows += result.rows;
      }
    });
    return { status: refusals.length === 0 ? 'scored' : 'refused', scored, rows, refusals: refusals.slice(0, 5) };
  });
}
