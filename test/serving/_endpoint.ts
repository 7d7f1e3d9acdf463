import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryArms } from '#adapters/memory/arms.ts';
import { memoryOnlineFeatures } from '#adapters/memory/online-features.ts';
import { memoryMetrics } from '#adapters/memory/metrics.ts';
import { memoryRequestLog } from '#adapters/memory/request-log.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { aggregateBasis } from '#domain/data/feature-plan.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { AggregatesList } from '#domain/prediction/aggregates.ts';
import { advancePointer, type Pointer } from '#domain/promotion/pointer.ts';
import { writeDocument } from '#ports/documents.ts';
import type { Scoring } from '#ports/scoring.ts';
import { readAggregates } from '#read-model/aggregates.ts';
import { readPointer } from '#read-model/pointer.ts';
import type { Serving } from '#serving/champion.ts';
import { servingCore } from '#serving/server.ts';
import { bytes, definition, MODEL, SQL, world } from '#test/use-cases/_environments.ts';
import { makeRelease } from '#test/use-cases/_releases.ts';

export const TODAY = '2026-03-02';
export const YESTERDAY = '2026-03-01';

export const online: ModelDefinition = {
  ...definition,
  events: {
    ...definition.events,
    columns: {
      id: 'VARCHAR',
      who: 'VARCHAR',
      at: 'TIMESTAMP',
      seat: 'BIGINT',
      row: 'INTEGER',
      born: 'DATE',
      vip: 'BOOLEAN',
      price: 'DOUBLE',
      later: { type: 'DOUBLE', since: '2026-03-05', default: 0.5 },
    },
  },
  features: { ...definition.features, aggregateDays: 2, columns: ['price', 'y'] },
  online: {
    context: [{ column: 'who', of: ['who'], withinMinutes: 120 }],
    maxRows: 3,
    maxAggregateAgeDays: 2,
    objectiveMs: 1000,
    pointerMaxAgeSeconds: 5,
    retentionDays: 30,
  },
};

type Column = readonly [datatype: string, value: unknown];
const ROW: Readonly<Record<string, Column>> = {
  id: ['BYTES', 'e1'],
  who: ['BYTES', 'ann'],
  at: ['BYTES', `${TODAY}T08:59:00Z`],
  seat: ['INT64', 7],
  row: ['INT32', 3],
  born: ['BYTES', '1990-02-28'],
  vip: ['BOOL', true],
  price: ['FP64', 0.25],
};

export interface Tensor {
  name: string;
  datatype: string;
  shape: readonly number[];
  data?: unknown;
  parameters?: object;
}

/** The inputs of some events, each of which differs from the usual one by what is said of it; their context has no rows unless given. */
export function inputs(
  events: readonly Readonly<Record<string, unknown>>[] = [{}],
  context: readonly Readonly<Record<string, unknown>>[] = [],
): Tensor[] {
  const group = (prefix: string, rows: readonly Readonly<Record<string, unknown>>[]): Tensor[] =>
    Object.entries(ROW).map(([name, [datatype, value]]) => ({
      name: `${prefix}${name}`,
      datatype,
      shape: [rows.length],
      data: rows.map((row) => (Object.hasOwn(row, name) ? row[name] : value)),
    }));
  return [...group('', events), ...group('context.', context)];
}

/** A server and everything beside it; a release predicts by the digits in its text, and counts how often it was opened. */
export async function endpoint() {
  const all = world();
  const prod = all.environment('prod');
  const features = memoryOnlineFeatures();
  const models = { opened: [] as string[], open: 0 };
  /** What a test does in the middle of a load, or of a reading of the pointer. */
  const during: { load?: () => Promise<void>; read?: () => Promise<void>; predict?: () => Promise<void> } = {};
  const scoring: Pick<Scoring, 'open'> = {
    async open(onnx) {
      const text = new TextDecoder().decode(onnx);
      models.opened.push(text.replace('MODEL ', ''));
      await during.load?.();
      if (text.includes('broken'))
        return { kind: 'refused', refusal: { rule: 'onnx-loads', found: 'no graph', remedy: 'export it again' } };
      models.open += 1;
      let isOpen = true;
      const model = {
        async predict(rows: readonly (readonly (number | null)[])[]) {
          await during.predict?.();
          if (!isOpen) throw new Error('the model was closed while a request used it');
          return rows.map(() => Number(text.replaceAll(/\D/g, '')) / 1000);
        },
        async close() {
          isOpen = false;
          models.open -= 1;
        },
      };
      return { kind: 'loaded', model };
    },
  };
  const log = memoryRequestLog();
  const metrics = memoryMetrics();
  /** The functions of the arms, as a test has them. */
  const arms: Parameters<typeof memoryArms>[0] = {};
  let lists = 0;
  const reads = { pointer: 0 };
  const deps: Serving = {
    model: MODEL,
    artifacts: prod.releases,
    lake: prod.lake,
    aggregates: { read: (model, basis) => readAggregates(prod.ledger, prod.documents, model, basis) },
    scoring,
    features,
    folder: await mkdtemp(join(tmpdir(), 'gatehouse-endpoint-')),
    clock: all.clock,
    log,
    metrics,
    arms: memoryArms(arms),
    environment: 'prod',
    ledger: {
      ...prod.ledger,
      async get(key) {
        if (key.pk === keys.pointer(MODEL).pk) {
          reads.pointer += 1;
          await during.read?.();
        }
        return prod.ledger.get(key);
      },
    },
  };
  const core = servingCore(deps);
  const put = async (pointer: Pointer): Promise<void> => {
    await prod.ledger.transact([{ kind: 'put', item: { ...keys.pointer(MODEL), ...pointer } }], `seq ${pointer.seq}`);
  };
  const release = (text: string, of: ModelDefinition = online, sql = SQL): Promise<Digest> =>
    makeRelease(prod.releases, text, 'trained', { definition: of, sql, onnx: bytes(`MODEL ${text}`) });
  return {
    ...all,
    prod,
    core,
    serving: deps,
    features,
    log,
    metrics,
    models,
    reads,
    during,
    arms,
    put,
    release,
    /** Promotes a release over what is served. */
    async promote(current: Digest, version = '0.1.1'): Promise<void> {
      const previous = await readPointer(prod.ledger, MODEL);
      const next = { model: MODEL, environment: 'prod', current, version, fencingToken: 1, writtenBy: 'test' };
      const confirmed = previous === undefined ? [] : [{ release: previous.current, version: previous.version }];
      await put(advancePointer(previous, { ...next, at: new Date(all.clock.at).toISOString() }, confirmed));
    },
    /** Rolls back to what was served before. */
    async rollBack(): Promise<void> {
      const previous = await readPointer(prod.ledger, MODEL);
      const target = previous?.lastConfirmed ?? undefined;
      if (target === undefined) throw new Error('nothing to roll back to');
      const { release: current, version } = target;
      const next = { model: MODEL, environment: 'prod', current, version, fencingToken: 1, writtenBy: 'test' };
      await put(advancePointer(previous, { ...next, at: new Date(all.clock.at).toISOString() }, []));
    },
    /** Publishes aggregates of some days, as a batch run would. */
    async aggregates(first: string, until: string, of: ModelDefinition = online, historyFrom = first): Promise<Digest> {
      const days = daysBetween(first, until).map((day) => ({ day, digest: digestOf(`daily ${day}`) }));
      const path = join(await mkdtemp(join(tmpdir(), 'gatehouse-endpoint-')), 'daily.parquet');
      await writeFile(path, 'daily');
      for (const { digest } of days)
        await prod.lake.store('daily', MODEL, digest, { path, sha256: digestOf('daily'), rows: 1 });
      const basis = aggregateBasis(of);
      const list = await writeDocument(prod.documents, AggregatesList, {
        formatVersion: 1,
        model: MODEL,
        basis,
        historyFrom,
        days,
      });
      const publishedAt = new Date(all.clock.at).toISOString();
      const item = { formatVersion: 1, model: MODEL, basis, list, until, run: 'run', epoch: 1, publishedAt };
      await prod.ledger.transact(
        [{ kind: 'put', item: { ...keys.aggregates(MODEL, basis), ...item } }],
        `list ${(lists += 1)}`,
      );
      return list;
    },
    /** Sends a request, with a body if there is one. */
    async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
      const content = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
      const response = await core.handle({
        id: 'call 1',
        method,
        path,
        headers,
        ...(content === undefined ? {} : { body: bytes(content) }),
      });
      return { ...response, json: JSON.parse(response.body) as Record<string, unknown> };
    },
    /** What a request is answered, and what was logged of it. */
    async infer(given: readonly Tensor[] = inputs(), rest: object = {}) {
      const before = log.entries.length;
      const answer = await inferBy(core, given, rest);
      return { ...answer, entry: log.entries[before] };
    },
  };
}

/** What one request for predictions is answered. */
async function inferBy(core: ReturnType<typeof servingCore>, given: readonly Tensor[], rest: object) {
  const body = bytes(JSON.stringify({ inputs: given, ...rest }));
  const response = await core.handle({
    id: 'call 1',
    method: 'POST',
    path: `/v2/models/${MODEL}/infer`,
    headers: {},
    body,
  });
  const json = JSON.parse(response.body) as {
    readonly error?: string;
    readonly id?: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
    readonly outputs?: readonly { readonly name: string; readonly data: readonly unknown[] }[];
  };
  return { ...response, json, probabilities: json.outputs?.find(({ name }) => name === 'probability')?.data };
}

/** A server with a champion and aggregates until the day before today. */
export async function serving() {
  const here = await endpoint();
  const first = await here.release('release 100');
  await here.promote(first);
  const list = await here.aggregates(addDays(TODAY, -3), YESTERDAY);
  return { ...here, first, list };
}
