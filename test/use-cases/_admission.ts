import { readFile, writeFile } from 'node:fs/promises';
import { digestOf } from '#domain/canonical/digest.ts';
import type { AdmittedPartition, ObjectReference } from '#domain/data/partition.ts';
import type { PartitionCheck } from '#ports/feature-engine.ts';
import { admitPartition } from '#use-cases/admission/admit-partition.ts';
import { type Environment, world } from './_environments.ts';

export const MARKER = 'toy/events/dt=2001-01-10/_READY';

export const PART = 'toy/events/dt=2001-01-10/part-000.parquet';

export let prod: Environment;

export let landed: Map<string, { content: string; version: number | string }>;

export let announced: AdmittedPartition[];

export const list = async (prefix: string): Promise<ObjectReference[]> =>
  [...landed].flatMap(([key, { content, version }]) =>
    key.startsWith(prefix)
      ? [{ bucket: 'landing', key, versionId: String(version), sha256: digestOf(content), size: content.length }]
      : [],
  );

export const copy = async ({ key }: ObjectReference, path: string): Promise<void> =>
  writeFile(path, landed.get(key)?.content ?? '');

/** Reads no Parquet: a file that says so is refused. */
export const engine: PartitionCheck = {
  async checkPartition({ kind, day, files }) {
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    const refused = texts.find((text) => text.startsWith('refused'));
    return refused === undefined
      ? undefined
      : {
          rule: 'source-columns-declared',
          found: `${refused}: ${kind} of ${day}`,
          remedy: 'correct it',
        };
  },
};

export const admit = (key = MARKER, check = engine) =>
  admitPartition(
    {
      ...prod,
      engine: check,
      landing: { list, copy },
      announce: async (partition) => {
        announced.push(partition);
      },
    },
    key,
  );

/** Prod, and a partition with its marker that has landed. */
export function begin(): void {
  prod = world().environment('prod');
  landed = new Map([
    [PART, { content: 'rows', version: 1 }],
    [MARKER, { content: '', version: 1 }],
  ]);
  announced = [];
}
