import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { signedLoad, WARM_UP_SECONDS } from '#adapters/aws/signed-load.ts';

const seen: { headers: IncomingHttpHeaders; body: string; path: string | undefined }[] = [];
let answers: (at: number) => readonly [status: number, text: string];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    seen.push({ headers: request.headers, body, path: request.url });
    const [status, text] = answers(seen.length);
    // As slow as a function that is quick.
    setTimeout(() => response.writeHead(status).end(text), 5);
  });
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

it('is signed, comes to whom it means, and says which requests failed', async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  // What fails before anything is measured does not count; of what is measured one request is refused.
  const begun = Date.now();
  let hasRefused = false;
  answers = (at) => {
    const isMeasured = Date.now() - begun > 1000 * (WARM_UP_SECONDS + 0.3);
    if (!isMeasured && at % 3 === 0) return [503, 'starting'];
    if (!isMeasured || hasRefused) return [200, at % 2 === 0 ? 'wrong' : 'right'];
    hasRefused = true;
    return [503, 'busy'];
  };
  const caller = { region: 'eu-central-1', credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret' } };
  const load = signedLoad(caller, { toy: `http://abc.execute-api.localhost:${port}` });
  const measured = await load.run(
    { model: 'toy', path: '/v2/models/toy/infer', body: { parameters: { golden: true } }, seconds: 1, connections: 2 },
    (text) => (text === 'right' ? undefined : 'another answer'),
  );
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
  expect(load.name).toBe(`autocannon ${dependencies['autocannon'] ?? ''}`);
  const [first] = seen;
  expect(first).toMatchObject({ path: '/v2/models/toy/infer', body: '{"parameters":{"golden":true}}' });
  expect(first?.headers.host).toBe(`abc.execute-api.localhost:${port}`);
  expect(first?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 .*execute-api.*SignedHeaders=[^,]*host/);
  const { requests, failed, statuses, failures, seconds, latencyMs } = measured;
  const right = requests - failed;
  const refused = statuses['503'] ?? 0;
  expect(requests).toBe((statuses['200'] ?? 0) + refused);
  expect(right).toBeGreaterThan(0);
  expect(failures).toContain('1 x 503: busy');
  expect(failures[0]).toMatch(/^\d+ x /);
  expect(seconds).toBeGreaterThan(0);
  expect(latencyMs?.p99).toBeGreaterThanOrEqual(latencyMs?.p50 ?? Infinity);
});
