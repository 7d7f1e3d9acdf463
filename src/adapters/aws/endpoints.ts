import type { Endpoints } from '#ports/endpoints.ts';
import { type Caller, signedCall } from './signed-call.ts';

/** Endpoints behind HTTP APIs, called by signed calls. @param urls where each model's is */
export function httpApiEndpoints(caller: Caller, urls: Readonly<Record<string, string>>): Endpoints {
  return {
    models: Object.keys(urls),
    post: (model, path, body) =>
      signedCall(caller, new URL(path, urls[model]), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    get: (model, path) => signedCall(caller, new URL(path, urls[model]), { method: 'GET' }),
  };
}
