import { z } from 'zod';
import { Arm } from '#domain/canary/counts.ts';
import { type ColumnType, type ModelDefinition, typeOf } from '#domain/model/definition.ts';
import { refusal, refusalText, type Refusal, RULES, type Refusing } from '#domain/refusal/refusal.ts';

// The Open Inference Protocol, version 2, over HTTP and JSON:
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md

/** The most bytes that a request body may have: far below the 6 MB of Lambda and the 10 MB of API Gateway. */
export const MAX_BODY_BYTES = 1_000_000;

/** What an input that stands for a column of the context begins with. */
export const CONTEXT = 'context.';

/** The parameter that names the nulls of an input, by its name: indices joined by commas. */
export const NULLS = 'nulls.';

/**
 * The protocol's datatype of a column. BYTES are texts: a TIMESTAMP is ISO 8601 in UTC (`2001-01-25T06:30:00Z`, with up to six
 * digits of a second), a DATE is `2001-01-25`. An INT64 beyond 2^53 is written as any other number and is read exactly.
 */
export const DATATYPES = {
  VARCHAR: 'BYTES',
  TIMESTAMP: 'BYTES',
  DATE: 'BYTES',
  BOOLEAN: 'BOOL',
  INTEGER: 'INT32',
  BIGINT: 'INT64',
  DOUBLE: 'FP64',
} as const satisfies Readonly<Record<ColumnType, string>>;

const Parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** A value of a tensor; integers that no double holds are read as `bigint`. The protocol has no null, and JSON has. */
const Value = z.custom<number | string | boolean | bigint | null>(
  (value) => value === null || ['number', 'string', 'boolean', 'bigint'].includes(typeof value),
  'expected a number, a text, true, false or null',
);

const InputTensor = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  datatype: z.string(),
  parameters: Parameters.optional(),
  data: z.array(Value).optional(),
});
export type InputTensor = z.infer<typeof InputTensor>;

/**
 * The body of a request for predictions; what the protocol may have beside it is passed over. One with the parameter `golden: true`
 * has no inputs: the release's own golden request is answered.
 */
export const InferenceRequest = z
  .object({
    id: z.string().optional(),
    parameters: Parameters.optional(),
    inputs: z.array(InputTensor).default([]),
    outputs: z.array(z.object({ name: z.string(), parameters: Parameters.optional() })).optional(),
  })
  .refine((request) => isGolden(request) === (request.inputs.length === 0), {
    path: ['inputs'],
    message: 'expected at least one input, or none beside the parameter golden: true',
  });
export type InferenceRequest = z.infer<typeof InferenceRequest>;

/** Whether a request is for the answers to the release's own golden request. */
export function isGolden({ parameters }: { readonly parameters?: z.infer<typeof Parameters> | undefined }): boolean {
  return parameters?.['golden'] === true;
}

/** What an answer says of itself beside its outputs: what it was made from, from which it can be recomputed. */
export const Receipt = z.strictObject({
  model: z.string(),
  version: z.string(),
  /** The release. */
  digest: z.string(),
  /** The arm that answered, and the one that it answered for where that one could not. */
  arm: Arm,
  fallback_from: Arm.exclude(['champion']).optional(),
  pointer_seq: z.int(),
  /** The pointer's epoch: another one since each change of the champion. */
  epoch: z.int(),
  /** The list of daily aggregates, a document of the lake, and its newest day that was used; both empty where the model has none. A golden answer has no list. */
  aggregates: z.string(),
  aggregates_until: z.string(),
  /** The context that was used, as canonical JSON of its rows. */
  context_digest: z.string(),
  /** Of a golden answer alone, which is no prediction: whether each probability is the promised one. */
  golden: z.literal(true).optional(),
  golden_matches: z.boolean().optional(),
});
export type Receipt = z.infer<typeof Receipt>;

/** The outputs of every model: the probability of each row, and the digest of the canonical JSON of its event. */
const OUTPUTS = [
  { name: 'probability', datatype: 'FP64', shape: [-1] },
  { name: 'event_digest', datatype: 'BYTES', shape: [-1] },
] as const;
export type OutputName = (typeof OUTPUTS)[number]['name'];
export const OUTPUT_NAMES: readonly OutputName[] = OUTPUTS.map(({ name }) => name);

/** The body of an answer. */
export const InferenceResponse = z.strictObject({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string().optional(),
  parameters: Receipt,
  outputs: z.array(
    z.discriminatedUnion('name', [
      z.strictObject({
        name: z.literal('probability'),
        datatype: z.literal('FP64'),
        shape: z.tuple([z.int()]),
        data: z.array(z.number()),
      }),
      z.strictObject({
        name: z.literal('event_digest'),
        datatype: z.literal('BYTES'),
        shape: z.tuple([z.int()]),
        data: z.array(z.string()),
      }),
    ]),
  ),
});
export type InferenceResponse = z.infer<typeof InferenceResponse>;

/** What the server says of itself. */
export const SERVER = { name: 'gatehouse', version: '1', extensions: [] } as const;

/** What the server says of a model: its inputs are the raw event columns, those of the events and those of their context. */
export function modelMetadata({ name, events, online }: ModelDefinition, version: string) {
  const group = (prefix: string) =>
    Object.entries(events.columns).map(([column, declared]) => ({
      name: `${prefix}${column}`,
      datatype: DATATYPES[typeOf(declared)],
      shape: [-1],
    }));
  const context = (online?.context ?? []).length === 0 ? [] : group(CONTEXT);
  const inputs = [...group(''), ...context];
  return { name, versions: [version], platform: 'onnxruntime_onnx', inputs, outputs: OUTPUTS };
}

/** An answer of the server, for whatever host sends it. */
export interface EndpointResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The rule by which nothing else is answered. */
  readonly rule?: string;
  /** What was thrown, where a fault is answered: for the host's log. */
  readonly fault?: unknown;
}

const JSON_HEADERS = { 'content-type': 'application/json' } as const;

/** An answer that is a document. */
export function answered(body: object, status = 200): EndpointResponse {
  return { status, headers: JSON_HEADERS, body: JSON.stringify(body) };
}

/** The status of a refusal. A rule that this code does not know refuses by what the request holds. */
export function statusOf({ rule }: Refusal): number {
  return Object.hasOwn(RULES, rule) ? RULES[rule].status : 422;
}

/** A refusal as the protocol says errors. */
export function refused(why: Refusal, fault?: unknown): EndpointResponse {
  const response = { ...answered({ error: refusalText(why) }, statusOf(why)), rule: why.rule };
  return fault === undefined ? response : { ...response, fault };
}

/** A refusal by a rule, as the protocol says errors. */
export function refusedBy(...why: Refusing): EndpointResponse {
  return refused(refusal(...why));
}
