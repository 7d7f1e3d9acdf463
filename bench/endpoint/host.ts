// A process that serves over plain HTTP: the serving core by its own features or by prepared ones, or a bare onnxruntime.
import { randomBytes } from 'node:crypto';
import { mkdirSync, openSync, writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';
import { lineRequestLog } from '#adapters/aws/request-log.ts';
import { onlineFeatures } from '#adapters/duckdb/online.ts';
import { folderArtifactStore } from '#adapters/folder/artifact-store.ts';
import { folderLake } from '#adapters/folder/lake.ts';
import { memoryArms } from '#adapters/memory/arms.ts';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { inspectOnnx } from '#adapters/onnx/inspect.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { aggregateBasis } from '#domain/data/feature-plan.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { advancePointer, pointerWrite } from '#domain/promotion/pointer.ts';
import type { OnlineFeatureEngine } from '#ports/online-features.ts';
import type { RequestLog } from '#ports/request-log.ts';
import { readAggregates } from '#read-model/aggregates.ts';
import { readPointer } from '#read-model/pointer.ts';
import type { Serving } from '#serving/champion.ts';
import { servingCore, type ServingCore } from '#serving/server.ts';

/** What a process that serves finds. */
export interface Served {
  /** Where artifacts and daily aggregates are. */
  readonly folder: string;
  readonly definition: ModelDefinition;
  readonly releases: readonly Digest[];
  /** The list of aggregates and its newest day. */
  readonly list: Digest;
  readonly until: string;
}

/** Features by the ids of events, as JSON: what takes the place of the feature step. */
export type Prepared = Readonly<Record<string, readonly (number | null)[]>>;

/** What a process is told to serve. */
export type HostOrder =
  | { readonly kind: 'core'; readonly served: Served; readonly prepared?: Prepared }
  | { readonly kind: 'bare'; readonly onnx: string; readonly width: number };

/** What a process answers: where it listens, or that the pointer names another release. */
export type HostAnswer = { readonly port: number } | { readonly switched: Digest };

/** A pointer and a list of aggregates in memory, beside artifacts and aggregates in folders. */
export async function servingOf(served: Served): Promise<Serving & { switchTo(release: Digest): Promise<void> }> {
  const { folder, definition, list, until } = served;
  const model = definition.name;
  const ledger = memoryLedger();
  const clock = { now: () => new Date() };
  const artifacts = folderArtifactStore(join(folder, 'artifacts'));
  const own = join(folder, 'endpoint');
  mkdirSync(own, { recursive: true });
  const basis = aggregateBasis(definition);
  const publishedAt = clock.now().toISOString();
  const item = { formatVersion: 1, model, basis, list, until, run: 'bench', epoch: 1, publishedAt };
  await ledger.transact([{ kind: 'put', item: { ...keys.aggregates(model, basis), ...item } }], 'list');
  const switchTo = async (current: Digest): Promise<void> => {
    const previous = await readPointer(ledger, model);
    const confirmed = previous === undefined ? [] : [{ release: previous.current, version: previous.version }];
    const about = { model, environment: 'prod', version: '1.0.0', fencingToken: 1, writtenBy: 'bench' };
    const next = advancePointer(previous, { ...about, current, at: clock.now().toISOString() }, confirmed);
    await ledger.transact([pointerWrite(previous, next)], `pointer ${next.seq}`);
  };
  for (const release of served.releases.toReversed()) await switchTo(release);
  return {
    model,
    ledger,
    clock,
    artifacts,
    lake: folderLake(join(folder, 'lake')),
    aggregates: { read: (of, by) => readAggregates(ledger, artifacts, of, by) },
    scoring: onnxScoring,
    features: onlineFeatures,
    folder: own,
    log: requestLog(model),
    // Its pointer divides no traffic.
    arms: memoryArms({}),
    // As functions write them, and kept nowhere.
    metrics: embeddedMetrics(clock, () => {}),
    environment: 'prod',
    switchTo,
  };
}

/** The request log as functions write it, under a key of this process: lines go where nothing is kept. */
function requestLog(model: string): RequestLog {
  const nowhere = openSync(devNull, 'w');
  const key = randomBytes(32);
  return lineRequestLog({
    kms: { send: async () => ({ Plaintext: key, CiphertextBlob: key }) } as never,
    keyId: 'key',
    s3: { send: async () => ({}) } as never,
    bucket: 'lake',
    model,
    keepsEvents: true,
    metrics: { emit: () => undefined },
    writeLine: async (line) => void writeSync(nowhere, `${line}\n`),
  });
}

/** Features that were computed before: a look-up by id instead of SQL. */
function preparedFeatures(prepared: Prepared): OnlineFeatureEngine {
  return {
    open: async ({ definition, daily }) => ({
      until: daily.at(-1)?.day ?? null,
      featuresOf: async ({ events }) => ({
        kind: 'features',
        rows: events.map((event) => prepared[String(event[definition.events.id])] ?? []),
      }),
      load: async () => undefined,
      close: async () => undefined,
    }),
  };
}

/** The serving core over plain HTTP. */
export function coreServer(core: ServingCore): Server {
  return createServer((request, response) => {
    void bodyOf(request).then(async (body) => {
      const { method = '', url: path = '' } = request;
      const answer = await core.handle({ id: 'call', method, path, headers: {}, body });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
}

/** A model over plain HTTP, of the least that answers the same protocol: rows of features in, a probability for each out. */
export async function bareServer(onnx: Uint8Array, width: number): Promise<Server & { release(): Promise<void> }> {
  const inspected = inspectOnnx(onnx, width);
  if (inspected.kind === 'refused') throw new Error(inspected.refusal.found);
  const { input, probabilities, classes } = inspected.inspection;
  const options = {
    executionMode: 'sequential',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  } as const;
  const session = await InferenceSession.create(onnx, options);
  const server = createServer((request, response) => {
    void bodyOf(request).then(async (body) => {
      const asked = JSON.parse(body.toString()) as { inputs: [{ shape: [number]; data: (number | null)[] }] };
      const [{ shape, data }] = asked.inputs;
      const rows = Float32Array.from(data, (value) => value ?? Number.NaN);
      const run = await session.run({ [input]: new Tensor('float32', rows, [shape[0], width]) }, [probabilities]);
      const found = run[probabilities]?.data as Float32Array;
      const values = Array.from({ length: shape[0] }, (_, row) => found[(row + 1) * classes - 1]);
      const outputs = [{ name: 'probability', datatype: 'FP64', shape: [shape[0]], data: values }];
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ model_name: 'bare', model_version: '1', outputs }));
    });
  });
  return Object.assign(server, { release: () => session.release() });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The core of an order. */
export function coreOf(serving: Serving, prepared: Prepared | undefined): ServingCore {
  return servingCore(prepared === undefined ? serving : { ...serving, features: preparedFeatures(prepared) });
}
