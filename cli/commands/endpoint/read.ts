import { z } from 'zod';
import { exactJson } from '#domain/canonical/exact-json.ts';
import { endpointOutput } from '#domain/model/deployed.ts';
import { callerOf, type Cloud } from '../../cloud.ts';
import { signedCall } from '#adapters/aws/signed-call.ts';
import { refuse } from '../../refusal.ts';

/** What the protocol says of an error, and what API Gateway says where the function was not reached. */
const Problem = z.union([
  z.object({ error: z.string() }).transform(({ error }) => error),
  z.object({ message: z.string() }).transform(({ message }) => message),
]);

/** Where a model's endpoint is; refused where the model has none. */
export async function endpointUrl(cloud: Cloud, model: string): Promise<URL> {
  const url = (await cloud.outputs('Inference'))[endpointOutput(model)];
  if (url === undefined)
    return refuse(
      'endpoint-deployed',
      `${model} has no endpoint in ${cloud.environment}`,
      `write online: { context: [] } in its model.ts, and run: gatehouse deploy ${cloud.environment}`,
    );
  return new URL(url);
}

/** What an endpoint answers to a call by its protocol; its own errors are refusals, with what it says. */
export async function callEndpoint<T>(cloud: Cloud, schema: z.ZodType<T>, url: URL, body?: object): Promise<T> {
  const answer = await signedCall(callerOf(cloud), url, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: exactJson(body) }),
  });
  const said: unknown = jsonOf(answer.text);
  if (answer.status !== 200) {
    const problem = Problem.safeParse(said);
    return refuse(
      'endpoint-answered',
      `${answer.status}: ${problem.success ? problem.data : answer.text.slice(0, 400)}`,
      answer.status === 503
        ? 'wait a moment, then look: gatehouse endpoint show'
        : 'see docs/endpoint.md for each answer',
    );
  }
  return schema.parse(said);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
