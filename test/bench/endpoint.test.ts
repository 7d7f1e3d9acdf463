import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { folderArtifactStore } from '#adapters/folder/artifact-store.ts';
import { constantModel } from '#adapters/onnx/constant-model.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { InferenceResponse } from '#serving/protocol.ts';
import { online } from '#test/serving/_endpoint.ts';
import { makeRelease } from '#test/use-cases/_releases.ts';
import { MODEL } from '#test/use-cases/_environments.ts';
import { coldParts } from '../../bench/endpoint/cold.ts';
import { bareServer, coreOf, coreServer, type Served, servingOf } from '../../bench/endpoint/host.ts';
import { bareBodyOf, bodyOf } from '../../bench/endpoint/http.ts';
import { type Call, callsOf, type Client, clientOf, startHost, steadily } from '../../bench/endpoint/load.ts';
import { outcomesOf } from '../../bench/endpoint/switches.ts';

const PATH = `/v2/models/${MODEL}/infer`;
const definition: ModelDefinition = {
  ...online,
  events: { ...online.events, columns: { id: 'VARCHAR', who: 'VARCHAR', at: 'TIMESTAMP' } },
  features: { ...online.features, aggregateDays: 0 },
  online: {
    context: [],
    maxRows: 3,
    maxAggregateAgeDays: 2,
    objectiveMs: 1000,
    pointerMaxAgeSeconds: 0,
    retentionDays: 30,
  },
};
const SQL = {
  'features/daily.sql': 'SELECT count(*) AS labels FROM labels',
  'features/features.sql': `SELECT id, who, "at", 1 AS price, 2 AS y FROM events WHERE CAST("at" AS DATE) = getvariable('partition')`,
};
const asked = { events: [{ id: 'e', who: 'ann', at: new Date().toISOString() }], context: [] };
const model = (baseRate: number): Uint8Array => constantModel({ baseRate, features: 2 });
let served: Served;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  const store = folderArtifactStore(join(folder, 'artifacts'));
  const releaseOf = (rate: number) =>
    makeRelease(store, `rate ${rate}`, 'trained', { definition, sql: SQL, onnx: model(rate) });
  const releases = [await releaseOf(0.25), await releaseOf(0.75)];
  served = { folder, definition, releases, list: digestOf('no list'), until: '2026-01-01' };
});

async function clientFor(server: Server): Promise<Client> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = clientOf((server.address() as AddressInfo).port, PATH, 2);
  onTestFinished(() => {
    client.close();
    server.close();
  });
  return client;
}

const probabilities = (body: string): unknown =>
  (JSON.parse(body) as { outputs: { name: string; data: unknown }[] }).outputs.find(
    ({ name }) => name === 'probability',
  )?.data;

describe('the bench of endpoints', () => {
  it('serves a release by its features and by prepared ones, and another after a switch', async () => {
    for (const prepared of [undefined, { e: [1, 2] }]) {
      const serving = await servingOf(served);
      const core = coreOf(serving, prepared);
      onTestFinished(() => core.close());
      const client = await clientFor(coreServer(core));
      const before = await client.post(bodyOf({ definition }, asked));
      expect(before).toMatchObject({ status: 200 });
      expect(probabilities(before.body)).toEqual([0.25]);
      await expect(callsOf(client, ['{}'], { count: 1, senders: 1 })).rejects.toThrow('400: ');
      await serving.switchTo(served.releases[1] ?? digestOf('none'));
      const after = await client.post(bodyOf({ definition }, asked));
      expect(probabilities(after.body)).toEqual([0.75]);
      expect(InferenceResponse.parse(JSON.parse(after.body)).parameters.digest).toBe(served.releases[1]);
    }
  });

  it('asks a bare server for as many rows as the endpoint', async () => {
    const server = await bareServer(model(0.25), 2);
    onTestFinished(() => server.release());
    const client = await clientFor(server);
    const two = { events: [...asked.events, { ...asked.events[0], id: 'f' }], context: [] } as typeof asked;
    const body = bareBodyOf({ definition }, two, { e: [1, 2], f: [null, 3] });
    expect(probabilities((await client.post(body)).body)).toEqual([0.25, 0.25]);
    const { milliseconds } = await callsOf(client, [body], { count: 9, senders: 2 });
    expect(milliseconds).toHaveLength(9);
  });

  it('starts a server in a process of its own, switches there, and ends it', async () => {
    const host = await startHost({ kind: 'core', served, prepared: { e: [1, 2] } });
    const client = clientOf(host.port, PATH, 1);
    try {
      await host.switchTo(served.releases[1] ?? '');
      expect(probabilities((await client.post(bodyOf({ definition }, asked))).body)).toEqual([0.75]);
    } finally {
      client.close();
      await host.end();
    }
  });

  it('says the parts of a first answer', async () => {
    const parts = await coldParts(served, bodyOf({ definition }, asked));
    expect(parts.map(({ part }) => part)).toEqual([
      'nothing yet',
      'read the pointer',
      'read and hash files of the release',
      'open the model',
      'load daily aggregates',
      'all of the first answer',
      'second answer',
    ]);
    expect(parts.every(({ milliseconds, rss }) => milliseconds >= 0 && rss > 0)).toBe(true);
  });

  it('sends what is due, and waits for it', async () => {
    const sent: number[] = [];
    const reached = Promise.withResolvers<void>();
    const load = steadily(1000, async (index) => {
      sent.push(index);
      if (index === 5) reached.resolve();
    });
    await reached.promise;
    await load.stop();
    expect(sent.slice(0, 6)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('tells a request that the wrong release answered from one that either may answer', async () => {
    const answer = InferenceResponse.parse({
      model_name: MODEL,
      model_version: '1.0.0',
      parameters: {
        model: MODEL,
        version: '1.0.0',
        digest: 'a',
        arm: 'champion',
        pointer_seq: 1,
        epoch: 1,
        aggregates: '',
        aggregates_until: '',
        context_digest: '',
      },
      outputs: [],
    });
    const call = (began: number, ended: number, digest: string, status = 200): Call => ({
      began,
      ended,
      status,
      body: JSON.stringify({ ...answer, parameters: { ...answer.parameters, digest } }),
    });
    const switches = [{ asked: 1000, done: 1010, to: 'b' }];
    const outcome = (...calls: Call[]) => outcomesOf(calls, switches, 'a', 1);
    expect(outcome(call(0, 10, 'a'), call(990, 1001, 'b'), call(1500, 1510, 'a'), call(2100, 2110, 'b'))).toEqual({
      failed: 0,
      wrong: 0,
      right: 4,
      during: [11, 10],
      between: [10, 10],
    });
    expect(outcome(call(0, 10, 'b'), call(2100, 2110, 'a'), call(1500, 1510, 'c'))).toMatchObject({ wrong: 3 });
    expect(outcome(call(0, 10, 'a', 503), { ...call(0, 10, 'a'), body: '{}' })).toMatchObject({ failed: 2, right: 0 });
  });
});
