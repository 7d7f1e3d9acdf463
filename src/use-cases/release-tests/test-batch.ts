import { join } from 'node:path';
import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { rowToJson } from '#domain/data/event-json.ts';
import { contextOf } from '#domain/data/request-context.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { BatchSample, EndpointRequests } from '#domain/release-tests/documents.ts';
import { type TestResult, testResult, TestResults } from '#domain/release-tests/test-result.ts';
import { refusalText } from '#domain/refusal/refusal.ts';
import { fileOf, ReleaseManifest } from '#domain/release/manifest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { EventReading } from '#ports/feature-engine.ts';
import type { Lake } from '#ports/lake.ts';
import type { EventRow, ReadEvent } from '#ports/online-features.ts';
import type { ScoredRow } from '#ports/prediction-rows.ts';
import type { Scoring } from '#ports/scoring.ts';
import { definitionIn } from '#read-model/definitions.ts';
import { fetchPartitions, withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';

/** How many events an endpoint is asked for. */
const EVENTS = 20;

export const TestBatch = contract({
  input: z.object({ model: z.string(), sample: Digest }),
  output: z.object({ tests: TestResults, requests: Digest.nullable() }),
});

/** Scores a published day again, and chooses events of it that the endpoint is asked for, each with what was published of it. */
export function testBatch(deps: {
  readonly lake: Lake;
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
  readonly scoring: Scoring;
  readonly events: EventReading;
  readRows(
    definition: Pick<ModelDefinition, 'events'>,
    files: { readonly features: string; readonly predictions: string },
  ): Promise<readonly ScoredRow[]>;
}): Task {
  return TestBatch.task(async ({ model, sample }) => {
    const { release, problem, published, events } = await readDocument(deps.documents, BatchSample, sample);
    const run = (status: TestResult['status'], found: string): TestResult => testResult('batch run', status, found);
    if (published === null) return { tests: [run('failed', problem ?? 'nothing is published')], requests: null };
    const { day, rows } = published;
    const tests = [run(problem === null ? 'passed' : 'failed', problem ?? `${rows} rows of ${day} are published`)];
    const manifest = await readDocument(deps.releases, ReleaseManifest, release);
    const { definition } = await definitionIn(deps.releases, manifest);
    return withFolder(async (folder) => {
      const features = await deps.lake.fetch('features', model, published.features, folder);
      const onnx = await deps.releases.read(fileOf(manifest, 'model.onnx').sha256);
      const scored = await deps.scoring.withModel(onnx, definition, (loaded) =>
        loaded.score({ features, out: join(folder, 'again.parquet') }),
      );
      const again = scored.kind === 'done' ? scored.value : scored;
      const isSame = again.kind === 'built' && again.sha256 === published.object.sha256;
      const found =
        again.kind === 'refused'
          ? refusalText(again.refusal)
          : isSame
            ? `${again.rows} rows of ${day}, the same bytes`
            : `${again.rows} rows of ${day} are ${again.sha256}, published are ${rows} as ${published.object.sha256}`;
      tests.push(testResult('batch scored again', isSame ? 'passed' : 'failed', found));
      if (definition.online === undefined || events.length === 0) return { tests, requests: null };
      const read = await deps.events.readEvents(definition, await fetchPartitions(deps.lake, events, folder));
      if (read.kind === 'refused') {
        tests.push(testResult('events', 'failed', refusalText(read.refusal)));
        return { tests, requests: null };
      }
      const predictions = await deps.lake.fetchSource(published.object, folder);
      const known = new Map(
        (await deps.readRows(definition, { features, predictions })).map(({ row, prediction }) => [row, prediction]),
      );
      const requests = chooseRequests(definition, day, read.events).map(({ id, ...rest }) => ({
        id,
        ...rest,
        published: known.get(id) ?? null,
      }));
      return {
        tests,
        requests: await writeDocument(deps.documents, EndpointRequests, { formatVersion: 1, day, requests }),
      };
    });
  });
}

/** Events spread over a day, each with its declared context, of those that JSON can hold. */
function chooseRequests(definition: ModelDefinition, day: string, read: readonly ReadEvent[]) {
  const { id, time } = definition.events;
  const inOrder = read.toSorted((a, b) =>
    a.at === b.at ? Number(String(a.row[id]) > String(b.row[id])) : Number(a.at - b.at),
  );
  const own = inOrder.filter(({ row }) => String(row[time]).startsWith(day) && isSendable(row));
  const count = Math.min(EVENTS, own.length);
  const chosen = Array.from({ length: count }, (_, at) => own[Math.floor((at * own.length) / count)]);
  return chosen.flatMap((event) => {
    if (event === undefined) return [];
    const context = contextOf(definition, event, inOrder);
    if (!context.every(isSendable)) return [];
    return [{ id: String(event.row[id]), event: rowToJson(event.row), context: context.map(rowToJson) }];
  });
}

/** A file may hold infinite numbers, NaN, and integers that no double holds. */
function isSendable(row: EventRow): boolean {
  return Object.values(row).every((value) => {
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value));
    return typeof value !== 'number' || Number.isFinite(value);
  });
}
