import { cbor, tag } from '@smithy/core/cbor';
import { gunzipSync } from 'node:zlib';

/** What the SDKs call the service in their requests. */
const SERVICE = 'GraniteServiceVersion20100801';

/** The two protocols that are served: SDKs for JavaScript speak the first, botocore the second. */
export type Protocol = 'json' | 'cbor';

/** A call of CloudWatch's API, whatever protocol it came by: instants are seconds of the epoch. */
export interface Call {
  readonly protocol: Protocol;
  readonly operation: string;
  readonly input: unknown;
}

/** An error of CloudWatch's API: the code that SDKs turn into an exception's name, and its message. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** An answer as it goes out. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

type Headers = (name: string) => string | undefined;

/** The protocol of a request; undefined for AWS's old query protocol, and for what is none. */
export function protocolOf(header: Headers): Protocol | undefined {
  if (header('smithy-protocol') === 'rpc-v2-cbor') return 'cbor';
  return header('x-amz-target')?.startsWith(`${SERVICE}.`) === true ? 'json' : undefined;
}

/** Reads a call; large ones come compressed. */
export function readCall(protocol: Protocol, path: string, header: Headers, sent: Uint8Array): Call {
  const operation =
    protocol === 'json' ? header('x-amz-target')?.split('.')[1] : /\/operation\/([^/]+)$/.exec(path)?.[1];
  try {
    const body = header('content-encoding') === 'gzip' ? new Uint8Array(gunzipSync(sent)) : sent;
    const input: unknown =
      body.length === 0
        ? {}
        : protocol === 'json'
          ? JSON.parse(Buffer.from(body).toString())
          : untagged(cbor.deserialize(body));
    return { protocol, operation: operation ?? '', input };
  } catch (error) {
    throw new ApiError('SerializationException', `the request cannot be read: ${String(error)}`);
  }
}

/** Writes an answer in the protocol of its call. */
export function writeAnswer(protocol: Protocol, status: number, output: unknown, error?: ApiError): Answer {
  const failed: Record<string, string> =
    error === undefined
      ? {}
      : {
          'x-amzn-errortype': error.code,
          // By this SDKs know the error under its name in the query protocol.
          'x-amzn-query-error': `${error.code};${status < 500 ? 'Sender' : 'Receiver'}`,
        };
  if (protocol === 'json')
    return {
      status,
      headers: { 'content-type': 'application/x-amz-json-1.0', ...failed },
      body: new Uint8Array(Buffer.from(JSON.stringify(output))),
    };
  return {
    status,
    headers: { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor', ...failed },
    body: new Uint8Array(cbor.serialize(tagged(output))),
  };
}

/** The same call to CloudWatch at another address, in JSON. */
export function jsonRequest(operation: string, input: unknown, authorization: string, token?: string): RequestInit {
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `${SERVICE}.${operation}`,
      authorization,
      ...(token !== undefined && { 'x-amz-security-token': token }),
    },
    body: JSON.stringify(input),
  };
}

/** CBOR's instants as plain numbers. */
function untagged(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untagged);
  if (typeof value !== 'object' || value === null) return value;
  if ('tag' in value && 'value' in value) return Number(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, untagged(each)]));
}

/** Members that are instants are tagged as such; what is null is left out, because decoders refuse it. */
function tagged(value: unknown, instant = false): unknown {
  if (Array.isArray(value)) return value.map((each) => tagged(each, instant));
  if (typeof value === 'number' && instant) return tag({ tag: 1, value });
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null && each !== undefined)
      .map(([key, each]) => [key, tagged(each, /Timestamps?$/.test(key))]),
  );
}
