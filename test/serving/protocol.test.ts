import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { RuleId } from '#domain/refusal/refusal.ts';
import { rowsJson } from '#domain/data/event-json.ts';
import { inputs, online, serving, TODAY, YESTERDAY } from './_endpoint.ts';

const CLOSED = { ledger: 'closed', artifacts: 'closed', aggregates: 'closed', lake: 'closed' };

let here: Awaited<ReturnType<typeof serving>>;
beforeEach(async () => {
  here = await serving();
});

describe('the paths of the protocol', () => {
  it.each([
    ['/v2', { name: 'gatehouse', version: '1', extensions: [] }],
    ['/v2/health/live', { live: true }],
    ['/v2/health/ready', { ready: true, circuits: CLOSED }],
    ['/v2/models/toy/ready', { name: 'toy', ready: true, circuits: CLOSED }],
    ['/v2/models/toy/versions/0.1.1/ready', { name: 'toy', ready: true, circuits: CLOSED }],
  ])('answer %s', async (path, expected) => {
    const { status, json, headers } = await here.send('GET', path);
    expect([status, json]).toEqual([200, expected]);
    expect(headers).toEqual({ 'content-type': 'application/json' });
  });

  it.each(['/v2/models/toy', '/v2/models/toy/versions/0.1.1'])(
    'say by %s that inputs are the event columns and those of the context',
    async (path) => {
      const { json } = await here.send('GET', path);
      const columns = Object.keys(online.events.columns).toSorted();
      expect(json).toMatchObject({ name: 'toy', versions: ['0.1.1'], platform: 'onnxruntime_onnx' });
      const described = json['inputs'] as { name: string; datatype: string; shape: number[] }[];
      expect(described.map(({ name }) => name)).toEqual([...columns, ...columns.map((name) => `context.${name}`)]);
      expect(described.slice(0, 9).map(({ datatype }) => datatype)).toEqual(
        'BYTES BYTES BYTES FP64 FP64 INT32 INT64 BOOL BYTES'.split(' '),
      );
      expect(new Set(described.map(({ shape }) => shape.join()))).toEqual(new Set(['-1']));
      expect(json['outputs']).toEqual([
        { name: 'probability', datatype: 'FP64', shape: [-1] },
        { name: 'event_digest', datatype: 'BYTES', shape: [-1] },
      ]);
    },
  );

  it.each([
    ['GET', '/', 404, 'endpoint-path'],
    ['GET', '/v2/', 404, 'endpoint-path'],
    ['GET', '/v2/models/toy/versions', 404, 'endpoint-path'],
    ['POST', '/v2/models/toy/generate', 404, 'endpoint-path'],
    ['GET', '/v2/models/other', 404, 'endpoint-model'],
    ['GET', '/v2/models/other/ready', 404, 'endpoint-model'],
    ['GET', '/v2/models/toy/versions/0.1.0', 404, 'version-served'],
    ['GET', '/v2/models/toy/versions/9.9.9/ready', 404, 'version-served'],
    ['POST', '/v2', 405, 'endpoint-method'],
    ['GET', '/v2/models/toy/infer', 405, 'endpoint-method'],
  ] as const)('refuse %s %s', async (method, path, status, rule) => {
    const response = await here.send(method, path);
    expect(response.status).toBe(status);
    expect(response.json['error']).toMatch(new RegExp(`^${rule satisfies RuleId}: `));
    if (status === 405) expect(response.headers['allow']).toBe(method === 'GET' ? 'POST' : 'GET');
  });

  it('answer for the version that is served, and for no other', async () => {
    const body = { inputs: inputs() };
    expect((await here.send('POST', '/v2/models/toy/versions/0.1.1/infer', body)).status).toBe(200);
    const other = await here.send('POST', '/v2/models/toy/versions/0.1.0/infer', body);
    expect(other).toMatchObject({
      status: 404,
      json: { error: 'version-served: 0.1.0 is not served, 0.1.1 is; name the served version, or none' },
    });
    expect((await here.send('POST', '/v2/models/other/infer', body)).status).toBe(404);
  });
});

describe('values', () => {
  it('are read in the types of their columns, an integer beyond 2^53 exactly', async () => {
    const body = JSON.stringify({ inputs: inputs([{ seat: 0, born: null }]) }).replace(
      '"shape":[1],"data":[0]',
      '"shape":[1],"data":[9223372036854775807]',
    );
    const response = await here.core.handle({
      id: 'call 1',
      method: 'POST',
      path: '/v2/models/toy/infer',
      headers: {},
      body: new TextEncoder().encode(body),
    });
    expect(response.status).toBe(200);
    const raw = here.log.entries.at(-1)?.raw?.events ?? [];
    expect(raw).toEqual([
      {
        id: 'e1',
        who: 'ann',
        at: `${TODAY}T08:59:00Z`,
        seat: '9223372036854775807',
        row: 3,
        born: null,
        vip: true,
        price: 0.25,
        later: 0.5,
      },
    ]);
    const json = rowsJson(raw);
    expect(json).toContain('"seat":"9223372036854775807"');
    expect(response.body).toContain(digestOf(json.slice(1, -1)));
    // The same number has the same digest, however a host read it.
    expect(rowsJson({ seat: 7n })).toBe(rowsJson({ seat: 7 }));
  });

  it('are null by JSON, or by a parameter for clients whose tensors hold no null', async () => {
    const events = [{}, { id: 'e2', price: null, seat: null }];
    const byJson = await here.infer(inputs(events));
    const filled = inputs([{}, { id: 'e2', price: 0, seat: 0 }]);
    const byParameter = await here.infer(filled, { parameters: { 'nulls.price': '1', 'nulls.seat': '1' } });
    expect(byParameter.entry?.raw?.events).toEqual(byJson.entry?.raw?.events);
    expect(byParameter.json.outputs).toEqual(byJson.json.outputs);
    expect(byJson.entry?.raw?.events[1]).toMatchObject({ price: null, seat: null });
  });

  it('of a column that events do not have yet may be left out, and are what earlier days have', async () => {
    expect((await here.infer()).entry?.raw?.events[0]).toMatchObject({ later: 0.5 });
    const given = await here.infer([...inputs(), { name: 'later', datatype: 'FP64', shape: [1], data: [2] }]);
    expect(given.entry?.raw?.events[0]).toMatchObject({ later: 2 });
  });

  it('of a context of days that no batch of the day reads are left out', async () => {
    const context = [
      { id: 'c1', at: `${YESTERDAY}T23:59:00Z` },
      { id: 'c2', at: `${TODAY}T08:00:00Z` },
    ];
    expect((await here.infer(inputs([{}], context))).entry?.raw?.context.map((row) => row['id'])).toEqual(['c2']);
  });

  it('are answered by the outputs that are asked for', async () => {
    const { json } = await here.infer(inputs(), {
      outputs: [{ name: 'probability', parameters: { binary_data: true } }],
    });
    expect(json.outputs).toEqual([{ name: 'probability', datatype: 'FP64', shape: [1], data: [0.1] }]);
  });
});
