import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { type Refusal, refusal, RULES } from '#domain/refusal/refusal.ts';

/** The APIs of control, in which everything that does not go on is a refusal. */
export type Api = { Bindings: { event: unknown } };

/** What a person is signed in as: said by the API's authorizer, which has verified the token's signature, audience and expiry. */
const Claims = z.object({ 'cognito:username': z.string().min(1), token_use: z.literal('id') });
const Authorized = z.object({
  requestContext: z.object({ authorizer: z.object({ jwt: z.object({ claims: Claims }) }) }),
});

/** Who is signed in. */
export function usernameOf(event: unknown): string {
  const authorized = Authorized.safeParse(event);
  if (!authorized.success)
    throw refused({ rule: 'signed-in', found: 'no identity token', remedy: 'sign in: gatehouse login' });
  return authorized.data.requestContext.authorizer.jwt.claims['cognito:username'];
}

/** An API that answers what it does not know, and what it refuses. */
export function answering(api: Hono<Api>): Hono<Api> {
  api.notFound((context) => {
    const found = `${context.req.method} ${context.req.path}`;
    return refused(refusal('route-known', found)).getResponse();
  });
  // What is not a refusal is a fault: it is thrown on, so that the function fails visibly and the API answers 500.
  api.onError((error) => {
    if (error instanceof HTTPException) return error.getResponse();
    throw error;
  });
  return api;
}

/** A refusal as HTTP answers it, by the status of its rule. */
export function refused(why: Refusal): HTTPException {
  const { status } = RULES[why.rule];
  return new HTTPException(status, { res: Response.json({ refusal: why }, { status }) });
}

export async function json(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    throw refused(refusal('well-formed', 'the request body is not JSON'));
  }
}

/** What a value says by its schema. */
export function body<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  try {
    return parseDocument(schema, value, what);
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
    throw refused(refusal('well-formed', error.message));
  }
}
