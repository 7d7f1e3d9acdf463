import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { fileOf, ReleaseManifest } from '#domain/release/manifest.ts';
import { readDocument } from '#ports/documents.ts';
import type { Run } from '../../../context.ts';
import { refuse } from '../../../refusal.ts';
import { findRelease, modelFolder, modelNames, parseReference } from '../../../references.ts';
import { shortDigest } from '../../../report.ts';
import { firstDifference } from './difference.ts';
import { rebuild } from './rebuild.ts';
import { fetchInputs, fetchProgram } from './sources.ts';

/** Makes a release again from what its manifest names, in a clean folder, and compares the digests. */
export const run: Run = async (context) => {
  const { release: named, out } = context.input(z.object({ release: z.string(), out: z.string().optional() }));
  const dev = context.cloud('dev');
  const found = await findRelease(dev.ledger, parseReference(named), await modelNames(context));
  const store = s3ArtifactStore(dev.s3, dev.names.artifactBucket);
  const manifest = await readDocument(store, ReleaseManifest, found.release);
  const definition = await readDocument(store, ModelDefinition, fileOf(manifest, 'definition.json').sha256);
  const folder = out ?? join(context.home, 'reproduce', found.release.slice('sha256:'.length, 'sha256:'.length + 12));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const own = await modelFolder(context, found.model);
  const { daily, features } = definition.features;
  const { from } = await fetchProgram(store, manifest, { daily: daily.path, features: features.path }, own, folder);
  context.note(`program of ${from}`);
  const catalogue = await fetchInputs(dev, store, manifest, join(folder, 'inputs'));
  context.note(`${catalogue.length} input partitions, each with the digest that the manifest names`);
  const rebuilt = await rebuild(manifest, definition, catalogue, folder, (line) => context.note(line));
  const different = rebuilt.parts.find((part) => part.manifest !== part.rebuilt);
  const file = manifest.files.find(({ path }) => path === different?.part);
  const where =
    file === undefined
      ? undefined
      : firstDifference(await store.read(file.sha256), rebuilt.contents.get(file.path) ?? Buffer.of());
  const isSame = rebuilt.release === found.release;
  context.print({
    data: {
      ...found,
      rebuilt: rebuilt.release,
      identical: isSame,
      parts: rebuilt.parts,
      firstDifference: where ?? null,
      folder,
    },
    sections: [
      {
        title: `${found.model}@${found.version}: ${isSame ? 'identical' : 'DIFFERS'}`,
        columns: ['part', 'manifest', 'rebuilt', ''],
        rows: [
          ...rebuilt.parts.map((each) => [
            each.part,
            shortDigest(each.manifest),
            shortDigest(each.rebuilt),
            each.manifest === each.rebuilt ? 'the same' : 'DIFFERS',
          ]),
          ['release', shortDigest(found.release), shortDigest(rebuilt.release), isSame ? 'the same' : 'DIFFERS'],
        ],
      },
      { lines: [`trained by the model's local command, not by image ${manifest.training.image}; in ${folder}`] },
    ],
  });
  if (!isSame) refuseDifference(different?.part ?? 'the manifest', where);
};

/** Refuses a release that was not rebuilt byte for byte: which part differs, and from where on. */
export function refuseDifference(part: string, where: string | undefined): never {
  return refuse(
    'reproducible',
    `${part} is not the same${where === undefined ? '' : `: ${where}`}`,
    'compare engine, Python packages and processor with those of the training job',
  );
}
