import { Hono } from 'hono';
import type { Cloud } from '../cloud.ts';
import { signedCall } from './signed-call.ts';

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

/** Signs each call that comes in, and passes it on to the endpoint at a URL. */
export function endpointProxy(cloud: Pick<Cloud, 'credentials' | 'names'>, url: URL): Hono {
  return new Hono().all('*', async ({ req }) => {
    const { pathname, search } = new URL(req.url);
    const headers = Object.fromEntries(Object.entries(req.header()).filter(([name]) => !OWN_HEADERS.has(name)));
    const { status, text } = await signedCall(cloud, new URL(`${pathname}${search}`, url), {
      method: req.method,
      headers,
      ...(req.method === 'GET' ? {} : { body: await req.text() }),
    });
    return new Response(text, { status, headers: { 'content-type': 'application/json' } });
  });
}
