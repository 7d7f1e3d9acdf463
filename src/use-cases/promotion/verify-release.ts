import { z } from 'zod';
import { canonicalJson, Digest, digestOfJson, parseCanonical } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { VerificationReport } from '#domain/gates/gates/release-integrity.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { fileOf, RELEASE_FILES, ReleaseManifest, ReleaseSchema, schemaOf } from '#domain/release/manifest.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Scoring } from '#ports/scoring.ts';
import { contract, type Task } from '#use-cases/task.ts';

/** `quarantined` are the releases that were rolled back here. */
export const VerifyRelease = contract({
  input: z.object({ model: z.string(), release: Digest, quarantined: z.array(Digest) }),
  output: VerificationReport,
});

/**
 * Checks a release by its content: hashes, documents, the format that may be loaded, the golden predictions, and that it
 * is none of those that were rolled back under another digest: training need not give the same bytes twice.
 */
export function verifyRelease(deps: { readonly releases: ArtifactStore; readonly scoring: Scoring }): Task {
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
    const isWhole = await check('files hash to the manifest', async () => {
      const manifest = await readDocument(deps.releases, ReleaseManifest, release);
      if (manifest.model !== model) return `the release is of model ${manifest.model}`;
      const contents = await Promise.all(
        RELEASE_FILES.map((path) => deps.releases.read(fileOf(manifest, path).sha256)),
      );
      for (const [index, path] of RELEASE_FILES.entries()) {
        const { size } = fileOf(manifest, path);
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
      await check('definition and schema agree', () => {
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
        const loads = await check('model.onnx is allowed and loads', () =>
          deps.scoring.inspect(onnx, known.features.columns),
        );
        if (loads) {
          await check('golden predictions reproduce', () =>
            deps.scoring.checkGolden(onnx, known, text(files.get('golden.json'))),
          );
          await check('was not rolled back under another digest', async () => {
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
