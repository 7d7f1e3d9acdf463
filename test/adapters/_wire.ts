import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { z } from 'zod';

/** A request as it goes over the wire: once per attempt of the SDK. */
export interface WireCall {
  readonly action: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * What happens to one request on its way: it never arrives; it is served and the answer gets lost; it is answered
 * with an error; it arrives when its idempotency token has been forgotten; its answer is put in place of the real one.
 */
export type WireFault =
  | 'lost'
  | 'unanswered'
  | 'outlived'
  | {
      readonly error: string;
      readonly message?: string;
      readonly status?: number;
      readonly reasons?: readonly (string | null)[];
    }
  | { readonly answer: object };

const Sent = z.object({ method: z.string(), headers: z.record(z.string(), z.string()), body: z.unknown() });

const Json = z.record(z.string(), z.unknown());
const textOf = (body: unknown): string =>
  typeof body === 'string' ? body : new TextDecoder().decode(z.instanceof(Uint8Array).parse(body));

/** Lets the requests of a client meet faults inside the SDK's own retry; gives back a growing list of what was sent. */
export function onTheWire(
  client: DynamoDBClient | S3Client | SageMakerClient,
  meet: (call: WireCall) => WireFault | undefined = () => undefined,
): readonly WireCall[] {
  const calls: WireCall[] = [];
  const stack: Pick<DynamoDBClient['middlewareStack'], 'add'> = client.middlewareStack as never;
  stack.add(
    (next) => async (args) => {
      const { method, headers, body } = Sent.parse(args.request);
      const action = headers['x-amz-target']?.split('.').at(-1) ?? method;
      const call = { action, body: Json.parse(action === method ? {} : JSON.parse(textOf(body))) };
      calls.push(call);
      const fault = meet(call);
      if (fault === undefined) return next(args);
      if (fault === 'lost') throw socketError();
      if (fault === 'unanswered') {
        await next(args);
        throw socketError();
      }
      if (fault === 'outlived') {
        const text = JSON.stringify({ ...call.body, ClientRequestToken: randomUUID() });
        const length = { 'content-length': String(Buffer.byteLength(text)) };
        const changed = Object.assign(Object.create(Object.getPrototypeOf(args.request) as object), args.request, {
          body: text,
          headers: { ...headers, ...length },
        });
        await next({ ...args, request: changed as unknown });
        throw socketError();
      }
      return {
        response: 'answer' in fault ? answer(200, JSON.stringify(fault.answer)) : refusal(fault),
        output: {} as never,
      };
    },
    { step: 'deserialize', priority: 'low', name: 'onTheWire' },
  );
  return calls;
}

/** Faults in the order in which requests of some actions meet them; `undefined` lets one through. */
export function inTurn(
  actions: readonly string[],
  faults: readonly (WireFault | undefined)[],
): (call: WireCall) => WireFault | undefined {
  const left = [...faults];
  return ({ action }) => (actions.includes(action) ? left.shift() : undefined);
}

function socketError(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

/** An error as DynamoDB and SageMaker say it, or as S3 does where a status is given. */
function refusal({ error, message, status, reasons }: Extract<WireFault, { readonly error: string }>) {
  if (status !== undefined) return answer(status, `<Error><Code>${error}</Code><Message>${error}</Message></Error>`);
  const codes = reasons?.map((code) => ({ Code: code ?? 'None' }));
  const body = {
    __type: `com.amazonaws.dynamodb.v20120810#${error}`,
    message: message ?? `${error} [${reasons?.map((code) => code ?? 'None').join(', ') ?? ''}]`,
    ...(codes === undefined ? {} : { CancellationReasons: codes }),
  };
  return answer(400, JSON.stringify(body));
}

function answer(statusCode: number, body: string) {
  const type = body.startsWith('<') ? 'application/xml' : 'application/x-amz-json-1.0';
  return { statusCode, headers: { 'content-type': type }, body: Readable.from([Buffer.from(body)]) };
}
