import { parseExactJson } from '#domain/canonical/exact-json.ts';
import { issueMessages, issueText } from '#domain/issues.ts';
import { refusal, type Refusal } from '#domain/refusal/refusal.ts';
import { InferenceRequest, MAX_BODY_BYTES } from './protocol.ts';

/** The body of a request for predictions as the protocol has it, or why it is none. */
export function readRequest(
  body: Uint8Array,
  headers: Readonly<Record<string, string | undefined>>,
): { readonly kind: 'read'; readonly request: InferenceRequest } | Refused {
  if (body.byteLength > MAX_BODY_BYTES) return refused('body-size', `the body has ${body.byteLength} bytes`);
  // Said before the body is read: a body with binary tensors is no JSON.
  const binary = Object.keys(headers).find((name) => name.toLowerCase() === 'inference-header-content-length');
  if (binary !== undefined) return refused('tensors-as-json', `the request has a header ${binary}`);
  const parsed = parse(body);
  if ('kind' in parsed) return parsed;
  const result = InferenceRequest.safeParse(parsed.value, { error: issueMessages });
  if (!result.success) {
    const [first] = result.error.issues;
    const found = first === undefined ? 'another shape' : `${first.path.join('.') || 'the body'}: ${issueText(first)}`;
    return { kind: 'refused', refusal: { rule: 'inference-request', found, remedy: 'correct the named field' } };
  }
  const request = result.data;
  for (const { name, parameters = {}, data } of request.inputs) {
    const elsewhere = ['binary_data_size', 'shared_memory_region'].find((each) => each in parameters);
    if (elsewhere !== undefined) return refused('tensors-as-json', `input ${name} has parameter ${elsewhere}`);
    if (data === undefined) return refused('tensors-as-json', `input ${name} has no data`);
  }
  return { kind: 'read', request };
}

type Refused = { readonly kind: 'refused'; readonly refusal: Refusal };

function refused(rule: 'body-size' | 'body-json' | 'tensors-as-json', found: string): Refused {
  return { kind: 'refused', refusal: refusal(rule, found) };
}

function parse(body: Uint8Array): { readonly value: unknown } | Refused {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return { value: parseExactJson(text) };
  } catch (error) {
    return refused('body-json', error instanceof Error ? error.message : String(error));
  }
}
