import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { ServingCore } from '#serving/server.ts';
import { logger } from './observability.ts';

/** Serves an HTTP API's calls, in the format of its version 2. Nothing runs on after the answer: Lambda freezes between two calls. */
export function httpApiHandler(
  core: ServingCore,
): (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2> {
  return async (event) => {
    const started = performance.now();
    const { http, requestId, timeEpoch } = event.requestContext;
    const { method } = http;
    const { status, headers, body, fault } = await core.handle({
      id: requestId,
      method,
      path: event.rawPath,
      headers: event.headers,
      receivedAt: new Date(timeEpoch),
      ...(event.body === undefined ? {} : { body: Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8') }),
    });
    const line = { method, path: event.rawPath, status, milliseconds: Math.round(performance.now() - started) };
    if (fault === undefined) logger.info('request answered', line);
    else logger.error('request failed', { ...line, error: fault instanceof Error ? fault : JSON.stringify(fault) });
    return { statusCode: status, headers: { ...headers }, body };
  };
}
