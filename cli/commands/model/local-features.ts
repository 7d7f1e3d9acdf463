import { mkdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { FEATURE_ENGINE } from '#domain/data/engines.ts';
import { type CataloguePartition, type DailyPlan, featurePlanner } from '#domain/data/feature-plan.ts';
import { isHidden, namesOf } from '#domain/data/landed-files.ts';
import { partitionDigest, type PartitionKind } from '#domain/data/partition.ts';
import { Day, type ModelDefinition } from '#domain/model/definition.ts';
import type { Context } from '../../context.ts';
import { mustBeFile } from '../../given-files.ts';
import { RefusedError, refuse, UsageError } from '../../refusal.ts';
import type { DayFile } from '#ports/feature-engine.ts';

const NO_DATA = 'a name that begins with _ or a dot is no data';

/** A day's features as they were built. */
export interface BuiltDay {
  readonly day: string;
  readonly file: string;
  readonly rows: number;
  readonly sha256: Digest;
  /** The aggregates that they are made of. */
  readonly daily: readonly DayFile[];
}

/**
 * Files by the `dt=YYYY-MM-DD` of their paths, as a producer would lay them; what a partition does not hold as data is left
 * out, and the user is told.
 */
export function byDay(files: readonly string[], context: Pick<Context, 'note'>): readonly DayFile[] {
  const ignored: string[] = [];
  const data = files.flatMap((file) => {
    const [, day, name = ''] = /(?:^|[/\\])dt=(\d{4}-\d{2}-\d{2})(?:[/\\](.*))?$/.exec(file) ?? [];
    if (day === undefined || !Day.safeParse(day).success)
      throw new UsageError(`${file}: the path names no day; give files as in landing/events/dt=2026-03-01/*.parquet`);
    if (name === '' || !isHidden(name.replaceAll('\\', '/'))) return [{ day, file }];
    ignored.push(file);
    return [];
  });
  if (data.length === 0) throw new UsageError(`${files[0] ?? 'no file'}: ${NO_DATA}`);
  if (ignored.length > 0) context.note(`ignored ${namesOf(ignored)}: ${NO_DATA}, here as in a landed partition`);
  return data;
}

/** Local files as the catalogue would know them: the version of S3 aside, the same digests. */
export async function localCatalogue(
  kind: PartitionKind,
  files: readonly DayFile[],
): Promise<readonly CataloguePartition[]> {
  const partitions: CataloguePartition[] = [];
  for (const [day, own] of Map.groupBy(files, (file) => file.day)) {
    const objects = await Promise.all(
      own.map(async ({ file }) => {
        await mustBeFile(file);
        const content = await readFile(file);
        return { bucket: 'local', key: file, versionId: 'local', sha256: digestOf(content), size: content.length };
      }),
    );
    partitions.push({ kind, day, version: 1, objects, digest: partitionDigest(objects) });
  }
  return partitions.sort((a, b) => (a.day < b.day ? -1 : 1));
}

/** Builds the features of days on this machine, by the pipeline's own planner and engine; what is built already is kept. */
export async function buildLocally(
  definition: ModelDefinition,
  folder: string,
  catalogue: readonly CataloguePartition[],
  days: readonly string[],
  out: string,
  onProgress: (day: string, done: number) => void = () => {},
): Promise<readonly BuiltDay[]> {
  const sql = {
    daily: await readFile(join(folder, definition.features.daily.path), 'utf8'),
    features: await readFile(join(folder, definition.features.features.path), 'utf8'),
  };
  await Promise.all(['daily', 'features'].map((name) => mkdir(join(out, name), { recursive: true })));
  const dailyFile = async (plan: DailyPlan): Promise<DayFile> => {
    const file = join(out, 'daily', `${hex(plan.digest)}.parquet`);
    if (await isFile(file)) return { day: plan.day, file };
    const partial = `${file}.partial`;
    const labels = plan.labels === undefined ? [] : filesOf([plan.labels]);
    const item = { day: plan.day, events: filesOf(plan.events), labels, out: partial };
    const [built] = await buildDaily({ sql: sql.daily, definition, items: [item] });
    if (built?.kind === 'refused')
      throw new RefusedError({ ...built.refusal, found: `labels of ${plan.day}: ${built.refusal.found}` });
    await rename(partial, file);
    return { day: plan.day, file };
  };
  const result: BuiltDay[] = [];
  const featuresOf = featurePlanner(definition, FEATURE_ENGINE, catalogue);
  for (const day of days) {
    const plan = featuresOf(day);
    if (!plan.ready) {
      const missing = plan.missing.slice(0, 5).map((part) => `${part.kind} of ${part.day}`);
      refuse(
        'partitions-there',
        `features of ${day} need ${missing.join(', ')}${plan.missing.length > 5 ? ` and ${plan.missing.length - 5} more` : ''}`,
        'give the files of these days as well',
      );
    }
    const daily: DayFile[] = [];
    for (const part of plan.daily) daily.push(await dailyFile(part));
    const file = join(out, 'features', `${day}.parquet`);
    const item = { day, events: filesOf(plan.events), daily, out: file };
    const [built] = await buildFeatures({ sql, definition, items: [item] });
    if (built === undefined) throw new Error(`the engine said nothing of ${day}`);
    if (built.kind === 'refused')
      throw new RefusedError({ ...built.refusal, found: `features of ${day}: ${built.refusal.found}` });
    result.push({ day, file, rows: built.rows, sha256: built.sha256, daily });
    onProgress(day, result.length);
  }
  return result;
}

/** The files of local partitions. */
export function filesOf(partitions: readonly CataloguePartition[]): DayFile[] {
  return partitions.flatMap(({ day, objects }) => objects.map(({ key }) => ({ day, file: key })));
}

const hex = (digest: Digest): string => digest.slice('sha256:'.length);

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
