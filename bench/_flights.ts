// The flights as an environment of plain values would hold them: what the benches of data work on, without a cloud.
import { readFile } from 'node:fs/promises';
import { partitionItem } from '#domain/data/partition-item.ts';
import { join } from 'node:path';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { memoryLake } from '#adapters/memory/lake.ts';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import * as engine from '#adapters/duckdb/engine.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { canonicalJson, type Digest, digestOf, digestOfJson } from '#domain/canonical/digest.ts';
import { FEATURE_ENGINE, SCORER } from '#domain/data/engines.ts';
import { type AdmittedPartition, partitionDigest } from '#domain/data/partition.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { advancePointer, pointerWrite } from '#domain/promotion/pointer.ts';
import { recipeOf, RELEASE_FILES, schemaOf, sealManifest } from '#domain/release/manifest.ts';
import { compileModel } from '#model/compile.ts';
import { findPartition } from '#read-model/partitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { replay } from '../models/flight-delay/replay.ts';

const ROOT = join(import.meta.dirname, '..');
const HOME = join(ROOT, 'models/flight-delay');
/** Where prepared flights are kept between runs. */
const CACHE = join(ROOT, '.gatehouse/bench/flights');

/** Prepares the flights, and a fresh environment that holds none of them yet. */
export async function flights(sample: number, change: Partial<ModelDefinition> = {}) {
  const definition: ModelDefinition = { ...(await compileModel(HOME)), ...change };
  const sql = {
    daily: await readFile(join(HOME, definition.features.daily.path), 'utf8'),
    features: await readFile(join(HOME, definition.features.features.path), 'utf8'),
  };
  const landed = await replay.prepare({ folder: CACHE, sample });
  const releases = memoryArtifactStore();
  const deps = {
    environment: 'prod',
    ledger: memoryLedger(),
    clock: { now: () => new Date() },
    lake: memoryLake(),
    documents: memoryArtifactStore(),
    releases,
    scoring: onnxScoring,
    scorer: SCORER,
    engine,
  };
  return {
    ...deps,
    /** What the planning use-cases are given: they know the engine by its version. */
    planning: { ...deps, engine: FEATURE_ENGINE },
    definition,
    sql,
    landed,
    /** Admits the partitions of the days up to one. */
    async admit(until: string): Promise<void> {
      for (const { kind, day, file } of landed) {
        const key = keys.partition(definition.name, kind, day);
        if (day > until || (await findPartition(deps.ledger, { model: definition.name, kind, day })) !== undefined)
          continue;
        const content = await readFile(file);
        const name = `${kind}/dt=${day}/part.parquet`;
        deps.lake.sources.set(name, content);
        const objects = [
          { bucket: 'landing', key: name, versionId: '1', sha256: digestOf(content), size: content.length },
        ];
        const partition: AdmittedPartition = {
          formatVersion: 1,
          model: definition.name,
          kind,
          day,
          version: 1,
          digest: partitionDigest(objects),
          objects,
          admittedAt: deps.clock.now().toISOString(),
        };
        await deps.ledger.transact([{ kind: 'put', item: partitionItem(key, partition) }], `admit ${kind} ${day}`);
      }
    },
    /** Stores a release of a model's bytes. */
    async release(onnx: Uint8Array, text: string): Promise<Digest> {
      const bytes = (of: string): Uint8Array => new TextEncoder().encode(of);
      const schema = schemaOf(definition);
      const contents: Record<(typeof RELEASE_FILES)[number], Uint8Array> = {
        'definition.json': bytes(canonicalJson(definition)),
        'features/daily.sql': bytes(sql.daily),
        'features/features.sql': bytes(sql.features),
        'golden.json': bytes('{}'),
        'model.onnx': onnx,
        'schema.json': bytes(canonicalJson(schema)),
      };
      const files = [];
      for (const path of RELEASE_FILES)
        files.push({ path, sha256: (await releases.write(contents[path])).digest, size: contents[path].length });
      const { image, hyperparameters, seed, code } = definition.training;
      const sealed = sealManifest({
        formatVersion: 1,
        model: definition.name,
        kind: 'trained',
        files,
        data: {
          asOf: '2001-06-30',
          window: { name: text, from: '2001-01-01', to: '2001-06-01' },
          fingerprint: digestOf(text),
          partitions: 1,
          labelsUntil: '2001-06-30',
        },
        training: { image, hyperparameters, seed, code },
        recipe: recipeOf(definition),
        code: { commit: 'bench' },
        schemas: { input: digestOfJson(schema.input), output: digestOfJson(schema.output) },
      });
      await releases.write(sealed.bytes);
      return sealed.release;
    },
    /** Points the environment at a release. */
    async serve(current: Digest): Promise<void> {
      const previous = await readPointer(deps.ledger, definition.name);
      const next = advancePointer(
        previous,
        {
          model: definition.name,
          environment: 'prod',
          current,
          version: '1.0.0',
          fencingToken: 1,
          writtenBy: 'bench',
          at: deps.clock.now().toISOString(),
        },
        [],
      );
      await deps.ledger.transact([pointerWrite(previous, next)], `serve ${next.seq}`);
    },
  };
}
export type Flights = Awaited<ReturnType<typeof flights>>;
