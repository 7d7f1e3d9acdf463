import { z } from 'zod';
import { canonicalJson, Digest, digestOfJson, parseCanonical } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { INTEGRITY_CHECKS, VerificationReport } from '#domain/gates/gates/release-integrity.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import {
  fileOf,
  GOLDEN_REQUEST,
  goldenAggregatesIn,
  ReleaseManifest,
  ReleaseSchema,
  schemaOf,
} from '#domain/release/manifest.ts';
import { refusalText } from '#domain/refusal/refusal.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { OnlineFeatureEngine } from '#ports/online-features.ts';
import type { Scoring } from '#ports/scoring.ts';
import { answerGoldenRequest } from '#read-model/golden-request.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';

/** `quarantined` are the releases that are quarantined here. */
export const VerifyRelease = contract({
  input: z.object({ model: z.string(), release: Digest, quarantined: z.array(Digest) }),
  output: VerificationReport,
});

export interface Verifying {
  readonly releases: ArtifactStore;
  readonly scoring: Scoring;
  /** Makes the features of golden requests. */
  readonly online: OnlineFeatureEngine;
}

/**
 * Checks a release by its content: hashes, documents, the format that may be loaded, the golden predictions and request, and that it
 * is none of those that were rolled back under another digest: training need not give the same bytes twice.
 */
export function verifyRelease(deps: Verifying): Task {
  return VerifyRelease.task(async ({ model, release, quarantined }) => {
    const checks: { check: string; problem: string | null }[] = [];
    const check = async (
      name: string,
      run: () => Promise<string | undefined> | string | undefined,
    ): Promise<boolean> => {
      let problem: string | undefined;
      try {
        problem = await run();
      } catch (error) {
        if (!(error instanceof GatehouseError)) throw error;
        problem = error.message;
      }
      checks.push({ check: name, problem: problem?.slice(0, 400) ?? null });
      return problem === undefined;
    };
    const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
    const files = new Map<string, Uint8Array>();
    let opened: ReleaseManifest | undefined;
    const isWhole = await check(INTEGRITY_CHECKS.files, async () => {
      const manifest = await readDocument(deps.releases, ReleaseManifest, release);
      if (manifest.model !== model) return `the release is of model ${manifest.model}`;
      const contents = await Promise.all(manifest.files.map(({ sha256 }) => deps.releases.read(sha256)));
      for (const [index, { path, size }] of manifest.files.entries()) {
        const content = contents[index] ?? new Uint8Array();
        if (content.length !== size) return `${path} has ${content.length} bytes, the manifest says ${size}`;
        files.set(path, content);
      }
      opened = manifest;
      return undefined;
    });
    const manifest = opened;
    if (isWhole && manifest !== undefined) {
      const onnx = files.get('model.onnx') ?? new Uint8Array();
      let definition: ModelDefinition | undefined;
      await check(INTEGRITY_CHECKS.definition, () => {
        definition = parseCanonical(ModelDefinition, files.get('definition.json') ?? '', 'definition.json');
        const schema = parseCanonical(ReleaseSchema, files.get('schema.json') ?? '', 'schema.json');
        if (definition.name !== model) return `the definition is of model ${definition.name}`;
        if (canonicalJson(schema) !== canonicalJson(schemaOf(definition)))
          return 'schema.json is not what the definition requires';
        if (manifest.schemas.input !== digestOfJson(schema.input)) return 'the manifest names another input schema';
        for (const sql of [definition.features.daily, definition.features.features]) {
          if (manifest.files.every((file) => file.path !== sql.path || file.sha256 !== sql.sha256))
            return `${sql.path} is not the definition's`;
        }
        return undefined;
      });
      const known = definition;
      if (known !== undefined) {
        const loads = await check(INTEGRITY_CHECKS.loads, () => deps.scoring.inspect(onnx, known.features.columns));
        if (loads) {
          await check(INTEGRITY_CHECKS.golden, () =>
            deps.scoring.checkGolden(onnx, known, text(files.get('golden.json'))),
          );
          if (known.online !== undefined || goldenAggregatesIn(manifest) !== undefined) {
            const sql = {
              daily: text(files.get('features/daily.sql')),
              features: text(files.get('features/features.sql')),
            };
            await check(INTEGRITY_CHECKS.goldenRequest, () => whyNotReproduced(deps, manifest, known, onnx, sql));
          }
          await check(INTEGRITY_CHECKS.notRolledBack, async () => {
            for (const other of quarantined) {
              const theirs = await readDocument(deps.releases, ReleaseManifest, other);
              const read = (path: 'model.onnx' | 'golden.json') => deps.releases.read(fileOf(theirs, path).sha256);
              const quarantinedModel = { model: await read('model.onnx'), golden: text(await read('golden.json')) };
              const same = await deps.scoring.sameAs(onnx, known, quarantinedModel);
              if (same !== undefined)
                return `${same}, and ${other} was rolled back: train on other data, or change the recipe`;
            }
            return undefined;
          });
        }
      }
    }
    return { release, checks };
  });
}

/** Why a release does not answer its golden request as it promised; or why it should have one, or none. */
async function whyNotReproduced(
  deps: Verifying,
  manifest: ReleaseManifest,
  definition: ModelDefinition,
  onnx: Uint8Array,
  sql: { readonly daily: string; readonly features: string },
): Promise<string | undefined> {
  if (definition.online === undefined) return `the release has ${GOLDEN_REQUEST}, and its model is not online`;
  const opened = await deps.scoring.open(onnx, definition);
  if (opened.kind === 'refused') return refusalText(opened.refusal);
  try {
    const release = { definition, sql, model: opened.model, online: deps.online };
    const answer = await withFolder((folder) => answerGoldenRequest(release, deps.releases, manifest, folder));
    if (answer === undefined) return `the model is online, and the release has no ${GOLDEN_REQUEST}: train it again`;
    return answer.kind === 'refused' ? refusalText(answer.refusal) : answer.difference;
  } finally {
    await opened.model.close();
  }
}
