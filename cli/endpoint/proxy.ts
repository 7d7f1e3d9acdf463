import { Hono } from 'hono';
import { callerOf, type Cloud } from '../cloud.ts';
import { signedCall } from '#adapters/aws/signed-call.ts';

/** What a client says to this process, and not to the endpoint. */
const OWN_HEADERS = new Set([
  'authorization',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
]);

/** Names by which only this machine is called: a page of a browser comes by another one, or says whose it is. */
const LOCAL = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;

/** Signs each call of the protocol that comes in from this machine, and passes it on to the endpoint at a URL, and nowhere else. */
export function endpointProxy(cloud: Pick<Cloud, 'credentials' | 'names'>, url: URL): Hono {
  return new Hono().all('*', async ({ req }) => {
    if (!LOCAL.test(req.header('host') ?? '') || req.header('origin') !== undefined)
      return Response.json({ error: 'the proxy takes calls of this machine only' }, { status: 403 });
    const target = new URL(url);
    target.pathname = new URL(req.url).pathname;
    if (!/^\/v2(?:\/|$)/.test(target.pathname))
      return Response.json({ error: 'the proxy passes on calls of the Open Inference Protocol, /v2' }, { status: 404 });
    const headers = Object.fromEntries(Object.entries(req.header()).filter(([name]) => !OWN_HEADERS.has(name)));
    const { status, text } = await signedCall(callerOf(cloud), target, {
      method: req.method,
      headers,
      ...(req.method === 'GET' ? {} : { body: await req.text() }),
    });
    return new Response(text, { status, headers: { 'content-type': 'application/json' } });
  });
}
