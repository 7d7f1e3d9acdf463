import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import { GatehouseError } from '#domain/error.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** The longest that an answer may take: an HTTP API waits for thirty seconds, and says so itself. */
const TIMEOUT_MS = 35_000;

/**
 * One HTTP call. Names under `.localhost` are this machine's (RFC 6761), which not every resolver knows: the call goes
 * to 127.0.0.1 and says in its Host header whom it means.
 */
export function call(
  url: URL,
  options: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string },
): Promise<HttpAnswer> {
  const isLocal = url.hostname.endsWith('.localhost');
  const send = url.protocol === 'https:' ? secure : plain;
  return new Promise((resolve, reject) => {
    const request = send(
      {
        method: options.method,
        hostname: isLocal ? '127.0.0.1' : url.hostname,
        ...(url.port === '' ? {} : { port: url.port }),
        path: `${url.pathname}${url.search}`,
        headers: { ...options.headers, host: url.host },
        timeout: TIMEOUT_MS,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    request.on('timeout', () =>
      request.destroy(new GatehouseError('API_SILENT', `${url.host} did not answer in time; try again`)),
    );
    request.on('error', (cause) =>
      reject(
        cause instanceof GatehouseError
          ? cause
          : new GatehouseError('API_UNREACHABLE', `${url.host}: ${cause.message}`, {}, cause),
      ),
    );
    request.end(options.body);
  });
}
