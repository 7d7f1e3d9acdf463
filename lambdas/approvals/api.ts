import { Hono } from 'hono';
import { DecisionInput } from '#domain/control/decision.ts';
import { PolicyVote } from '#domain/control/policy-vote.ts';
import { QuarantineVote } from '#domain/control/quarantine-vote.ts';
import { PromotionRequestBody } from '#domain/control/promotion-request-body.ts';
import { ModelName } from '#domain/model/definition.ts';
import { answering, type Api, body, json, refused, usernameOf } from '#runtime/control-api.ts';
import { decide, type Deciding } from '#use-cases/control/decide.ts';
import { decidePolicy } from '#use-cases/control/decide-policy.ts';
import { decideQuarantine } from '#use-cases/control/decide-quarantine.ts';
import type { VoteResult } from '#use-cases/control/record-vote.ts';
import { readApprovalRequests } from '#read-model/requests.ts';
import { showRequest } from '#use-cases/control/show-request.ts';
import { type Asking, requestPromotion } from '#use-cases/control/request-promotion.ts';

/** The API through which people meet the system: what waits for them, their votes and their decisions. */
export function approvalsApi(deps: Deciding & Asking): Hono<Api> {
  const api = answering(new Hono<Api>());
  api.use(async (context, next) => {
    usernameOf(context.env.event);
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
    const result = await requestPromotion(deps, usernameOf(context.env.event), ask);
    if (result.kind === 'refused') throw refused(result.refusal);
    return context.json({ seq: result.seq, model: ask.model, environment: ask.environment }, 202);
  });
  api.post('/policies', async (context) => {
    const vote = body(PolicyVote, await json(context.req.raw), 'request body');
    return context.json(voted(await decidePolicy(deps, usernameOf(context.env.event), vote)), 202);
  });
  api.post('/quarantines', async (context) => {
    const vote = body(QuarantineVote, await json(context.req.raw), 'request body');
    return context.json(voted(await decideQuarantine(deps, usernameOf(context.env.event), vote)), 202);
  });
  api.post('/decisions', async (context) => {
    const input = body(DecisionInput, await json(context.req.raw), 'request body');
    const result = await decide(deps, usernameOf(context.env.event), input);
    if (result.kind === 'refused') throw refused(result.refusal);
    return context.json({ decision: result.decision, seq: result.seq, statement: result.statement }, 201);
  });
  return api;
}

/** What a vote that was recorded is answered with. */
function voted(result: VoteResult) {
  if (result.kind === 'refused') throw refused(result.refusal);
  const { role, seq, statement } = result;
  return { role, seq, statement };
}
