import { Hash } from '@smithy/core/serde';
import { SignatureV4 } from '@smithy/signature-v4';
import { call, type HttpAnswer } from '../http-call.ts';

/** Who calls, and where. */
export interface Caller {
  readonly credentials: ConstructorParameters<typeof SignatureV4>[0]['credentials'];
  readonly region: string;
}

interface Signable {
  readonly method: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** The headers of one call of an API that takes signed calls only (SigV4), with the caller's own AWS credentials. */
export async function signedHeaders(
  caller: Caller,
  url: URL,
  { method, headers = {}, body }: Signable,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({
    service: 'execute-api',
    region: caller.region,
    credentials: caller.credentials,
    sha256: Hash.bind(null, 'sha256'),
  });
  const signed = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    headers: { ...headers, host: url.host },
    ...(body === undefined ? {} : { body }),
  });
  return signed.headers;
}

/** One call of such an API. */
export async function signedCall(caller: Caller, url: URL, request: Signable): Promise<HttpAnswer> {
  const { method, body } = request;
  const headers = await signedHeaders(caller, url, request);
  return call(url, { method, headers, ...(body === undefined ? {} : { body }) });
}
