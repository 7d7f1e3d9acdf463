import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';
import { DecisionInput } from '#domain/control/decision.ts';
import { PolicyVote } from '#domain/control/policy-vote.ts';
import { QuarantineVote } from '#domain/control/quarantine-vote.ts';
import { PromotionRequestBody } from '#domain/control/promotion-request-body.ts';
import { GatehouseError } from '#domain/error.ts';
import { type Refusal, refusal, RULES } from '#domain/refusal/refusal.ts';
import { ModelName } from '#domain/model/definition.ts';
import { decide, type Deciding } from '#use-cases/control/decide.ts';
import { decidePolicy } from '#use-cases/control/decide-policy.ts';
import { decideQuarantine } from '#use-cases/control/decide-quarantine.ts';
import type { VoteResult } from '#use-cases/control/record-vote.ts';
import { readApprovalRequests } from '#read-model/requests.ts';
import { showRequest } from '#use-cases/control/show-request.ts';
import { type Asking, requestPromotion } from '#use-cases/control/request-promotion.ts';

type Api = { Bindings: { event: unknown }; Variables: { username: string } };

/** What a person is signed in as: said by the API's authorizer, which has verified the token's signature, audience and expiry. */
const Claims = z.object({ 'cognito:username': z.string().min(1), token_use: z.literal('id') });
const Authorized = z.object({
  requestContext: z.object({ authorizer: z.object({ jwt: z.object({ claims: Claims }) }) }),
});

/** The API through which people meet the system: what waits for them, their votes and their decisions. */
export function approvalsApi(deps: Deciding & Asking): Hono<Api> {
  const api = new Hono<Api>();
  api.use(async (context, next) => {
    const event = Authorized.safeParse(context.env.event);
    if (!event.success) {
      throw refused({ rule: 'signed-in', found: 'no identity token', remedy: 'sign in: gatehouse login' });
    }
    context.set('username', event.data.requestContext.authorizer.jwt.claims['cognito:username']);
    await next();
  });
  api.get('/requests', async (context) =>
    context.json({ requests: await readApprovalRequests(deps.ledger, deps.models) }),
  );
  api.get('/requests/:promotion', async (context) => {
    const model = body(ModelName, context.req.query('model'), 'query parameter model');
    const promotion = context.req.param('promotion');
    const shown = await showRequest(deps.ledger, model, promotion);
    if (shown !== undefined) return context.json(shown);
    throw refused({
      rule: 'approval-requested',
      found: `no approval was requested of ${promotion} of ${model}`,
      remedy: 'see what waits: gatehouse status',
    });
  });
  api.post('/promotions', async (context) => {
    const ask = body(PromotionRequestBody, await json(context.req.raw), 'request body');
    const result = await requestPromotion(deps, context.get('username'), ask);
    if (result.kind === 'refused') throw refused(result.refusal);
    return context.json({ seq: result.seq, model: ask.model, environment: ask.environment }, 202);
  });
  api.post('/policies', async (context) => {
    const vote = body(PolicyVote, await json(context.req.raw), 'request body');
    return context.json(voted(await decidePolicy(deps, context.get('username'), vote)), 202);
  });
  api.post('/quarantines', async (context) => {
    const vote = body(QuarantineVote, await json(context.req.raw), 'request body');
    return context.json(voted(await decideQuarantine(deps, context.get('username'), vote)), 202);
  });
  api.post('/decisions', async (context) => {
    const input = body(DecisionInput, await json(context.req.raw), 'request body');
    const result = await decide(deps, context.get('username'), input);
    if (result.kind === 'refused') throw refused(result.refusal);
    return context.json({ decision: result.decision, seq: result.seq, statement: result.statement }, 201);
  });
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

/** What a vote that was recorded is answered with. */
function voted(result: VoteResult) {
  if (result.kind === 'refused') throw refused(result.refusal);
  const { role, seq, statement } = result;
  return { role, seq, statement };
}

/** A refusal as HTTP answers it, by the status of its rule. */
function refused(why: Refusal): HTTPException {
  const { status } = RULES[why.rule];
  return new HTTPException(status, { res: Response.json({ refusal: why }, { status }) });
}

async function json(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    throw refused(refusal('well-formed', 'the request body is not JSON'));
  }
}

function body<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  try {
    return parseDocument(schema, value, what);
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
    throw refused(refusal('well-formed', error.message));
  }
}
