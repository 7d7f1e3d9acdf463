import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { FeatureWork } from '#domain/data/feature-work.ts';
import { type ParityDifference, ParityFound } from '#domain/drift/drift-work.ts';
import { GatehouseError } from '#domain/error.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { readDocument } from '#ports/documents.ts';
import type { Lake, LocalObject } from '#ports/lake.ts';
import { type Building, buildDailyPartition, buildFeaturePartition } from '#use-cases/data/build-partitions.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const RecomputeFeatures = contract({
  /** The work that builds the sample of stored features; null where there are none. */
  input: z.object({ recompute: z.object({ work: Digest.nullable() }) }),
  output: ParityFound,
});

/**
 * Makes stored features anew from the lake's admitted partitions, by the code that made them and with nothing of what it has
 * kept, and compares the bytes. Serving reads what is stored and tests read what is built: if the two ever differ, that is a
 * proof of skew, and needs no label and no model.
 */
export function recomputeFeatures(deps: Building): Task {
  return RecomputeFeatures.task(async ({ recompute }) => {
    if (recompute.work === null)
      return {
        days: [],
        differences: [],
        reasons: ['no published predictions were made from features as they would be built now'],
      };
    const work = await readDocument(deps.documents, FeatureWork, recompute.work);
    return withFolder(async (folder) => {
      const anew = await emptyLake(deps.lake, folder);
      const all = (count: number) => ({ work: recompute.work, model: work.model, from: 0, to: count });
      await buildDailyPartition({ ...deps, lake: anew.lake })(all(work.daily.length));
      await buildFeaturePartition({ ...deps, lake: anew.lake })(all(work.features.length));
      const found: { days: string[]; differences: ParityDifference[]; reasons: string[] } = {
        days: [],
        differences: [],
        reasons: [],
      };
      for (const item of work.features) {
        const made = anew.made.get(item.digest);
        const compared =
          made === undefined ? 'it cannot be built any more' : await compare(deps, work.model, item, made, folder);
        if (typeof compared === 'string') found.reasons.push(`features of ${item.day}: ${compared}`);
        else found.days.push(item.day);
        if (typeof compared === 'object') found.differences.push(compared);
      }
      return found;
    });
  });
}

/** The difference, undefined where there is none, or why nothing could be compared. */
async function compare(
  deps: Building,
  model: string,
  item: FeatureWork['features'][number],
  made: LocalObject,
  folder: string,
): Promise<ParityDifference | undefined | string> {
  const known = await deps.lake.find('features', model, item.digest);
  if (known === undefined) return 'they are not stored any more';
  if (known.object.sha256 === made.sha256 && known.rows === made.rows) return undefined;
  const different = { day: item.day, features: item.digest };
  try {
    const stored = await deps.lake.fetch('features', model, item.digest, folder);
    const definition = await readDocument(deps.releases, ModelDefinition, item.definition);
    const compared = await deps.engine.compareFeatures({ stored, anew: made.path, definition });
    if (compared.kind === 'refused') return `${compared.refusal.rule}: ${compared.refusal.found}`;
    const { columns, rows } = compared;
    const named = columns.map(({ column, rows: count }) => `${column} in ${count} rows`).join(', ');
    const found = `${named || 'no value'} of ${rows.stored} stored and ${rows.anew} new rows, ${rows.unmatched} of them only in one`;
    return { ...different, found, columns: [...columns], rows };
  } catch (error) {
    if (!(error instanceof GatehouseError) || error.code !== 'ARTIFACT_TAMPERED') throw error;
    return { ...different, found: 'the stored bytes are not those that were stored', columns: [], rows: null };
  }
}

/** A lake in a folder that has the admitted partitions of another one, and nothing that was built from them. */
async function emptyLake(of: Lake, folder: string) {
  const made = new Map<string, LocalObject>();
  const home = join(folder, 'anew');
  await mkdir(home);
  const lake: Lake = {
    ...of,
    find: () => Promise.resolve(undefined),
    async store(_kind, _model, digest, file) {
      const path = join(home, `${digest.slice('sha256:'.length)}.parquet`);
      await copyFile(file.path, path);
      made.set(digest, { ...file, path });
    },
    fetch(kind, model, digest) {
      const known = made.get(digest);
      if (known !== undefined) return Promise.resolve(known.path);
      throw new GatehouseError('ARTIFACT_MISSING', `${kind} ${digest} of ${model} were not made anew`, { digest });
    },
  };
  return { lake, made };
}
