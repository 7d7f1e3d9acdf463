// What the model's suites of expectations say of partitions: the program of the processing job itself, on the files of the
// half-year. A file is looked at once and kept by what it and its suite hash to.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stagePartitions } from '#adapters/duckdb/staged-partitions.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { type CheckedPartition, CheckResults } from '#domain/data/data-check.ts';
import type { CataloguePartition } from '#domain/data/feature-plan.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { inPieces } from './chunks.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Partitions that share a start of Great Expectations, which takes four seconds. */
const TOGETHER = 120;

/** Says of each partition what its suite found. */
export type Suites = (partitions: readonly CataloguePartition[]) => Promise<readonly CheckedPartition[]>;

/** The suites of a model, on partitions that are staged as a check stages them, and what they have said so far below a folder. */
export function suitesOf(home: string, folder: string, definition: ModelDefinition): Suites {
  const kept = join(folder, 'checked');
  mkdirSync(kept, { recursive: true });
  const suite = (kind: CataloguePartition['kind']) =>
    digestOf(readFileSync(join(home, 'expectations', `${kind}.json`)));
  const suites = { events: suite('events'), labels: suite('labels') };
  const fileOf = ({ kind, digest }: CataloguePartition): string =>
    join(kept, `${digest.slice('sha256:'.length)}-${suites[kind].slice('sha256:'.length, 'sha256:'.length + 16)}.json`);
  const look = async (group: readonly CataloguePartition[]): Promise<void> => {
    const root = mkdtempSync(join(folder, 'checking-'));
    const input = join(root, 'opt/ml/processing/input');
    mkdirSync(input, { recursive: true });
    cpSync(join(home, 'expectations'), join(input, 'suites'), { recursive: true });
    const items = group.map(({ kind, day, version, objects }, index) => ({
      kind,
      day,
      version,
      out: join(input, `${index}.parquet`),
      files: objects.map(({ key }) => key),
    }));
    const staged = await stagePartitions({ definition, items });
    const batches = items.map(({ kind, day, version, out }, index) => {
      const result = staged[index];
      const about = { kind, day, version };
      return result?.kind === 'refused'
        ? { ...about, files: [], refused: `${result.refusal.rule}: ${result.refusal.found}` }
        : { ...about, files: [out] };
    });
    writeFileSync(join(input, 'batches.json'), JSON.stringify(batches));
    const program = join(ROOT, 'containers/data-quality/validate.py');
    await promisify(execFile)(join(ROOT, '.venv/bin/python'), [program], { env: { SM_ROOT: root } });
    const found = JSON.parse(readFileSync(join(root, 'opt/ml/processing/output/results.json'), 'utf8')) as unknown;
    const results = CheckResults.parse(found).batches;
    for (const [index, part] of group.entries()) writeFileSync(fileOf(part), JSON.stringify(results[index]));
    rmSync(root, { recursive: true });
  };
  return async (partitions) => {
    const missing = partitions.filter((part) => !existsSync(fileOf(part)));
    await inPieces('expectations', missing, TOGETHER, look);
    return partitions.map((part) => {
      const batch = CheckResults.shape.batches.element.parse(JSON.parse(readFileSync(fileOf(part), 'utf8')));
      const { kind, day, digest } = part;
      return { kind, day, digest, suite: suites[kind], rows: batch.rows, failures: batch.failures };
    });
  };
}
