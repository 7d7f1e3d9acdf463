import { canonicalJson, type Digest, digestOf, digestOfJson } from '#domain/canonical/digest.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { GoldenRequest } from '#domain/release/golden-request.ts';
import {
  GOLDEN_REQUEST,
  goldenDailyPath,
  openManifest,
  recipeOf,
  RELEASE_FILES,
  type ReleaseManifest,
  schemaOf,
  sealManifest,
} from '#domain/release/manifest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { bytes, definition, goldenOf, MODEL, SQL } from './_environments.ts';

/** What a release of another model than the toy is made of. */
interface Contents {
  readonly definition: ModelDefinition;
  readonly sql: Readonly<Record<keyof typeof SQL, string>>;
  readonly onnx: Uint8Array;
}

/** Stores a whole release; `text` is what its model is, unless it is a real one. Without `rows` it has no golden ones. */
export async function makeRelease(
  store: ArtifactStore,
  text: string,
  kind: ReleaseManifest['kind'] = 'trained',
  of: Contents = { definition, sql: SQL, onnx: bytes(`MODEL ${text}`) },
  rows: readonly number[][] = [[0]],
): Promise<Digest> {
  const schema = schemaOf(of.definition);
  const contents: Record<(typeof RELEASE_FILES)[number], Uint8Array> = {
    'definition.json': bytes(canonicalJson(of.definition)),
    'features/daily.sql': bytes(of.sql['features/daily.sql']),
    'features/features.sql': bytes(of.sql['features/features.sql']),
    'golden.json': bytes(goldenOf(`MODEL ${text}`, rows)),
    'model.onnx': of.onnx,
    'schema.json': bytes(canonicalJson(schema)),
  };
  const files = [];
  for (const path of RELEASE_FILES)
    files.push({ path, sha256: (await store.write(contents[path])).digest, size: contents[path].length });
  const { image, hyperparameters, seed, code } = of.definition.training;
  const sealed = sealManifest({
    formatVersion: 1,
    model: MODEL,
    kind,
    files,
    data: {
      asOf: '2001-01-20',
      window: { name: 'all', from: '2001-01-10', to: '2001-01-14' },
      fingerprint: digestOf(`data of ${text.split('#')[0]}`),
      partitions: 5,
      labelsUntil: '2001-01-15',
    },
    training: { image, hyperparameters, seed, code },
    recipe: recipeOf(of.definition),
    code: { commit: 'commit' },
    schemas: { input: digestOfJson(schema.input), output: digestOfJson(schema.output) },
  });
  await store.write(sealed.bytes);
  return sealed.release;
}

/** The release with other files of a golden request: one promises some probabilities, and its aggregates are of some days. */
export async function withGoldenRequest(
  store: ArtifactStore,
  release: Digest,
  golden: GoldenRequest | undefined,
  days: readonly string[] = [],
): Promise<Digest> {
  const manifest = openManifest(await store.read(release));
  const contents =
    golden === undefined
      ? []
      : [
          { path: GOLDEN_REQUEST, content: bytes(canonicalJson(golden)) },
          ...days.map((day) => ({ path: goldenDailyPath(day), content: bytes(`daily ${day}`) })),
        ];
  const files: ReleaseManifest['files'] = manifest.files.slice(0, RELEASE_FILES.length);
  for (const { path, content } of contents)
    files.push({ path, sha256: (await store.write(content)).digest, size: content.length });
  const sealed = sealManifest({ ...manifest, files });
  await store.write(sealed.bytes);
  return sealed.release;
}
