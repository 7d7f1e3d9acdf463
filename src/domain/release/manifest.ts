import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { canonicalJson, Digest, digestOf, digestOfJson, parseCanonical } from '../canonical/digest.ts';
import { Day, type ModelDefinition, ModelName } from '../model/definition.ts';

/** The files of each release: everything that scoring needs. */
export const RELEASE_FILES = [
  'definition.json',
  'features/daily.sql',
  'features/features.sql',
  'golden.json',
  'model.onnx',
  'schema.json',
] as const;

/** The golden request, which releases of models that are online have beside those. */
export const GOLDEN_REQUEST = 'golden-request.json';

/** The daily aggregates of the golden request, a file for each day. */
const GOLDEN_DAILY = /^golden-request\/daily-(\d{4}-\d{2}-\d{2})\.parquet$/;

/** Where a release has the daily aggregates of a day that its golden request needs. */
export function goldenDailyPath(day: string): string {
  return `golden-request/daily-${day}.parquet`;
}

const ReleaseFile = z.strictObject({
  path: z.union([z.enum(RELEASE_FILES), z.literal(GOLDEN_REQUEST), z.string().regex(GOLDEN_DAILY)]),
  sha256: Digest,
  size: z.int().positive(),
});

/** A release's manifest: reproducible content only. The release's id is the digest of its canonical JSON. */
export const ReleaseManifest = document(
  'release manifest',
  z
    .strictObject({
      formatVersion: z.literal(1),
      model: ModelName,
      /** A baseline is the constant base-rate release that the pipeline makes. */
      kind: z.enum(['trained', 'baseline']),
      files: z.array(ReleaseFile),
      data: z.strictObject({
        asOf: Day,
        window: z.strictObject({ name: z.string().min(1), from: Day, to: Day }),
        /** Merkle root of the feature partitions that were read. */
        fingerprint: Digest,
        partitions: z.int().nonnegative(),
        /** The admitted partitions that everything was made from (`TrainingInputs`), as an object by digest. */
        inputs: Digest.exactOptional(),
        /** No label that arrived after the end of this day was seen. */
        labelsUntil: Day,
      }),
      training: z.strictObject({
        image: z.string().min(1),
        hyperparameters: z.record(z.string(), z.string()),
        seed: z.int(),
        code: Digest,
      }),
      /** What the model is made by, data aside: two releases of one recipe differ by their data only. */
      recipe: Digest,
      code: z.strictObject({ commit: z.string().min(1) }),
      schemas: z.strictObject({ input: Digest, output: Digest }),
    })
    .refine((manifest) => areReleaseFiles(manifest.files.map((file) => file.path)), {
      path: ['files'],
      message: `exactly these files in this order: ${RELEASE_FILES.join(', ')}; then, of a model that is online, ${GOLDEN_REQUEST} and its aggregates by day`,
    }),
);
export type ReleaseManifest = z.infer<typeof ReleaseManifest>;

function areReleaseFiles(paths: readonly string[]): boolean {
  const [golden, ...daily] = paths.slice(RELEASE_FILES.length);
  if (paths.slice(0, RELEASE_FILES.length).join() !== RELEASE_FILES.join()) return false;
  if (golden === undefined) return true;
  return (
    golden === GOLDEN_REQUEST && daily.every((path, at) => GOLDEN_DAILY.test(path) && path > (daily[at - 1] ?? ''))
  );
}

/** A release's id and the bytes that have it. */
export function sealManifest(manifest: ReleaseManifest): { readonly release: Digest; readonly bytes: Uint8Array } {
  const bytes = new TextEncoder().encode(canonicalJson(ReleaseManifest.parse(manifest)));
  return { release: digestOf(bytes), bytes };
}

/** The manifest that some bytes say, provided that they are canonical. */
export function openManifest(bytes: Uint8Array): ReleaseManifest {
  return parseCanonical(ReleaseManifest, bytes, ReleaseManifest.document);
}

/** The file of a release at a path. */
export function fileOf(
  manifest: ReleaseManifest,
  path: (typeof RELEASE_FILES)[number] | typeof GOLDEN_REQUEST,
): { readonly sha256: Digest; readonly size: number } {
  const file = manifest.files.find((candidate) => candidate.path === path);
  if (file === undefined) throw new Error(`the manifest has no ${path}`);
  return file;
}

/** The daily aggregates that a release's golden request needs, oldest first; undefined where it has no golden request. */
export function goldenAggregatesIn({
  files,
}: ReleaseManifest): readonly { readonly day: string; readonly sha256: Digest }[] | undefined {
  if (files.every(({ path }) => path !== GOLDEN_REQUEST)) return undefined;
  return files.flatMap(({ path, sha256 }) => {
    const day = GOLDEN_DAILY.exec(path)?.[1];
    return day === undefined ? [] : [{ day, sha256 }];
  });
}

/** The digest of everything in a definition that shapes a trained model, data aside. */
export function recipeOf(definition: ModelDefinition): Digest {
  const { features, training, windows, evaluation } = definition;
  return digestOfJson({ features, training, windows, evaluation });
}

/**
 * The digest of all that a release was made from. Training need not give the same bytes twice; what was made from the same
 * is the same release for whoever counts them.
 */
export function originOf({ model, kind, data, training, recipe, schemas }: ReleaseManifest): Digest {
  const { asOf: _asOf, ...read } = data;
  return digestOfJson({ model, kind, data: read, training, recipe, schemas });
}

/** `schema.json` of a release: the columns that the model reads, in their order, and what it answers. */
export const ReleaseSchema = z.strictObject({
  formatVersion: z.literal(1),
  input: z.array(z.strictObject({ name: z.string().min(1), type: z.literal('float32') })).min(1),
  output: z.strictObject({
    name: z.literal('prediction'),
    type: z.literal('float64'),
    meaning: z.literal('probability'),
  }),
});
export type ReleaseSchema = z.infer<typeof ReleaseSchema>;

/** The schema that a definition asks of its models. */
export function schemaOf(definition: ModelDefinition): ReleaseSchema {
  return {
    formatVersion: 1,
    input: definition.features.columns.map((name) => ({ name, type: 'float32' })),
    output: { name: 'prediction', type: 'float64', meaning: 'probability' },
  };
}
