import { Hash } from '@smithy/core/serde';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Cloud } from '../cloud.ts';
import { call, type HttpAnswer } from '../http.ts';

/** One call of an API that takes signed calls only (SigV4), with the caller's own AWS credentials. */
export async function signedCall(
  cloud: Pick<Cloud, 'credentials' | 'names'>,
  url: URL,
  {
    method,
    headers = {},
    body,
  }: { readonly method: string; readonly headers?: Record<string, string>; readonly body?: string },
): Promise<HttpAnswer> {
  const signer = new SignatureV4({
    service: 'execute-api',
    region: cloud.names.region,
    credentials: cloud.credentials,
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
  return call(url, { method, headers: signed.headers, ...(body === undefined ? {} : { body }) });
}
