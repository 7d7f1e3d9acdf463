import { execFile } from 'node:child_process';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { mkdtemp, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serve } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run as ask } from '#cli/commands/endpoint/ask.ts';
import { run as show } from '#cli/commands/endpoint/show.ts';
import { whyNotAnswered } from '#cli/commands/smoke-test/smoke-test.ts';
import { endpointProxy } from '#cli/endpoint/proxy.ts';
import { UsageError } from '#cli/refusal.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { endpointOutput } from '#domain/model/deployed.ts';
import { readPointer } from '#read-model/pointer.ts';
import { PYTHON_FOLDER } from '#test/models/_programs.ts';
import { serving, TODAY } from '#test/serving/_endpoint.ts';
import { MODEL } from '#test/use-cases/_environments.ts';
import { withGoldenRequest } from '#test/use-cases/_releases.ts';
import { testContext } from './_context.ts';

const EVENT = {
  id: 'e1',
  who: 'ann',
  at: `${TODAY}T08:59:00Z`,
  seat: 7,
  row: 3,
  born: '1990-02-28',
  vip: true,
  price: 0.25,
};

/** What API Gateway does, as far as a caller sees it: it turns away what is not signed, and hands over the rest. */
let here: Awaited<ReturnType<typeof serving>>;
let url: URL;
let folder: string;
const signed: (string | undefined)[] = [];
const isSigned = ({ authorization }: IncomingHttpHeaders): boolean =>
  authorization?.startsWith('AWS4-HMAC-SHA256 Credential=') === true;
const gateway = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  const answered = async (): Promise<void> => {
    signed.push(request.headers.authorization);
    const body = Buffer.concat(chunks);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const answer = isSigned(request.headers)
      ? await here.core.handle({ id: 'call 1', method: request.method ?? '', path: request.url ?? '', headers, body })
      : { status: 403, headers: {}, body: '{"message":"Forbidden"}' };
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  request.on('end', () => void answered());
});
beforeAll(async () => {
  here = await serving();
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-endpoint-'));
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  url = new URL(`http://127.0.0.1:${(gateway.address() as AddressInfo).port}`);
});
afterAll(() => gateway.close());

const typed = (given: object, outputs: Readonly<Record<string, string>> = { [endpointOutput(MODEL)]: url.href }) =>
  testContext({ model: MODEL, ...given }, { env: 'prod', outputs });

/** Asks for the predictions of what a file says. */
async function asked(content: unknown, outputs?: Readonly<Record<string, string>>) {
  const event = join(folder, 'event.json');
  await writeFile(event, typeof content === 'string' ? content : JSON.stringify(content));
  const test = typed({ event }, outputs);
  await ask(test.context);
  return JSON.parse(test.text('json')) as { parameters: { digest: string }; outputs: { data: unknown[] }[] };
}

describe('endpoint ask', () => {
  it.each([
    ['an event', EVENT, 1],
    ['several events', [EVENT, { ...EVENT, id: 'e2' }], 2],
    ['an event with its context', { event: EVENT, context: [{ ...EVENT, id: 'c1', at: `${TODAY}T08:00:00Z` }] }, 1],
  ])('answers %s, by signed calls', async (_, content, count) => {
    const answer = await asked(content);
    expect(answer.parameters.digest).toBe(here.first);
    expect(answer.outputs[0]?.data).toHaveLength(count);
    expect(signed.every((each) => each?.includes('/us-east-1/execute-api/aws4_request'))).toBe(true);
  });

  it('says what the endpoint refuses', async () => {
    await expect(asked({ ...EVENT, price: null })).resolves.toBeDefined();
    await expect(asked({ ...EVENT, at: null })).rejects.toMatchObject({
      refusal: { rule: 'endpoint-answered', found: expect.stringMatching(/^422: input-nulls: input at/) },
    });
    await expect(asked({ ...EVENT, seat: 'seven' })).rejects.toMatchObject({
      refusal: { found: expect.stringMatching(/^422: input-values: input seat/) },
    });
  });

  it('is refused where the model has no endpoint', async () => {
    await expect(asked(EVENT, {})).rejects.toMatchObject({ refusal: { rule: 'endpoint-deployed' } });
  });

  it.each(['no JSON', '[]', '[1]'])('takes no file that holds %s', async (content) => {
    await expect(asked(content)).rejects.toThrow(UsageError);
  });

  it('takes no file that is not there', async () => {
    await expect(ask(typed({ event: join(folder, 'none.json') }).context)).rejects.toThrow('there is no such file');
  });
});

describe('integers that no double holds', () => {
  it('are sent as they are written', async () => {
    const exact = JSON.stringify({ ...EVENT, seat: 0 }).replace('"seat":0', '"seat":9007199254740993');
    const digestOfEvent = async (text: string) => (await asked(text)).outputs[1]?.data[0];
    expect(await digestOfEvent(exact)).not.toBe(await digestOfEvent(exact.replace('993', '992')));
  });
});

describe('endpoint show', () => {
  it('says where it is, whether it is ready, and what it takes', async () => {
    const test = typed({});
    await show(test.context);
    expect(JSON.parse(test.text('json'))).toMatchObject({ url: url.href, ready: true, name: MODEL });
    expect(test.text()).toContain('context.at');
    expect(test.text()).toContain('look-ups of the instance that answered: ledger closed, artifacts closed');
  });
});

describe('endpoint proxy', () => {
  const PROGRAM = `
import json, sys
import numpy as np
import tritonclient.http as http
client = http.InferenceServerClient(sys.argv[1])
event = json.loads(sys.argv[2])
model = sys.argv[3]
metadata = client.get_model_metadata(model)
types = {"BYTES": np.object_, "INT64": np.int64, "INT32": np.int32, "FP64": np.float64, "BOOL": np.bool_}
def inputs(binary):
    made = []
    for given in metadata["inputs"]:
        context = given["name"].startswith("context.")
        if given["name"].endswith("later"):
            continue
        values = [] if context else [event[given["name"]]]
        tensor = http.InferInput(given["name"], [len(values)], given["datatype"])
        tensor.set_data_from_numpy(np.array(values, dtype=types[given["datatype"]]), binary_data=binary)
        made.append(tensor)
    return made
answer = client.infer(model, inputs(False), outputs=[http.InferRequestedOutput("probability", binary_data=False)])
try:
    client.infer(model, inputs(True))
    refused = ""
except Exception as error:
    refused = str(error)
print(json.dumps({
    "live": client.is_server_live(), "ready": client.is_server_ready(), "model": client.is_model_ready(model),
    "inputs": len(metadata["inputs"]), "probability": answer.as_numpy("probability").tolist(), "refused": refused,
}))
`;

  it('passes on calls of the protocol from this machine only, and to the endpoint only', async () => {
    const proxy = endpointProxy(typed({}).context.cloud('prod'), url);
    const status = async (path: string, headers: Record<string, string> = {}) =>
      (await proxy.request(`http://127.0.0.1${path}`, { headers: { host: '127.0.0.1:8080', ...headers } })).status;
    expect(await status('/v2/health/live')).toBe(200);
    expect(await status('//127.0.0.1:1/v2/health/live')).toBe(404);
    expect(await status('/elsewhere')).toBe(404);
    expect(await status('/v2/health/live', { host: 'evil.example' })).toBe(403);
    expect(await status('/v2/health/live', { origin: 'https://evil.example' })).toBe(403);
  });

  it('serves tritonclient: health, metadata and a prediction; binary tensors are refused with what to set', async () => {
    const cloud = typed({}).context.cloud('prod');
    const { fetch } = endpointProxy(cloud, url);
    const server = serve({ fetch, hostname: '127.0.0.1', port: 0 });
    await new Promise<void>((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const python = join(PYTHON_FOLDER, 'python');
    const args = ['-c', PROGRAM, `127.0.0.1:${port}`, JSON.stringify(EVENT), MODEL];
    const { stdout } = await promisify(execFile)(python, args);
    server.close();
    const expected = await asked(EVENT);
    expect(JSON.parse(stdout)).toEqual({
      live: true,
      ready: true,
      model: true,
      inputs: 18,
      probability: expected.outputs[0]?.data,
      refused: expect.stringContaining('binary_data=False'),
    });
  });
});

describe('the smoke test of an endpoint', () => {
  const GOLDEN = {
    formatVersion: 1 as const,
    day: '2001-01-14',
    events: [{ id: 'e1', who: 'ann', at: '2001-01-14T08:00:00.000Z', price: 0.5 }],
    context: [],
  };
  /** Promotes a release that answers 0.1, and promises something; what the smoke test finds where the ledger names it, or another. */
  const found = async (probabilities: number[] | undefined, named?: Digest): Promise<string | undefined> => {
    const golden = probabilities === undefined ? undefined : { ...GOLDEN, probabilities };
    const release = await withGoldenRequest(here.prod.releases, here.first, golden, ['2001-01-13']);
    await here.promote(release, '0.1.2');
    here.clock.at += 6000;
    const { context, ledgerOf } = typed({});
    const pointer = await readPointer(here.prod.ledger, MODEL);
    const item = { ...keys.pointer(MODEL), ...pointer, ...(named === undefined ? {} : { current: named }) };
    await ledgerOf('prod').transact([{ kind: 'put', item }], 'pointer');
    return whyNotAnswered(context.cloud('prod'), MODEL);
  };

  it('passes where the pointer’s release answers its golden request as promised, and where nothing is promoted', async () => {
    expect(await found([0.1])).toBeUndefined();
    expect(await whyNotAnswered(typed({}).context.cloud('prod'), MODEL)).toBeUndefined();
  });

  it('fails where the answer is another, or another release’s, or none', async () => {
    expect(await found([0.25])).toBe('its golden request is answered otherwise than promised');
    const other = digestOf('other');
    expect(await found([0.1], other)).toMatch(new RegExp(`^answers by sha256:.*, the pointer names ${other}$`));
    await expect(found(undefined)).rejects.toMatchObject({
      refusal: { rule: 'endpoint-answered', found: expect.stringMatching(/^404: golden-request-held/) },
    });
  });
});
