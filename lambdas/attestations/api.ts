import { Hono } from 'hono';
import { z } from 'zod';
import type { JobTokens } from '#ports/job-tokens.ts';
import {
  attest,
  AttestationBody,
  type Attester,
  type Attesting,
  type AttestResult,
} from '#use-cases/control/attest.ts';
import { answering, type Api, body, json, refused, usernameOf } from '#runtime/control-api.ts';

/** The API by which jobs and people attest; whoever may call it decides nothing. */
export function attestationsApi(deps: Attesting & { readonly tokens: JobTokens }): Hono<Api> {
  const api = answering(new Hono<Api>());
  api.post('/attestations', async (context) => {
    const by = { kind: 'person', username: usernameOf(context.env.event) } as const;
    return context.json(attested(await attest(deps, by, await input(context.req.raw))), 201);
  });
  api.post('/attestations/:issuer', async (context) => {
    const issuer = context.req.param('issuer');
    const token = /^Bearer (\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1] ?? '';
    const verified = await deps.tokens.verify(issuer, token);
    if (verified.kind === 'refused') throw refused(verified.refusal);
    const by: Attester = { kind: 'ci', job: { issuer, claims: verified.claims } };
    return context.json(attested(await attest(deps, by, await input(context.req.raw))), 201);
  });
  return api;
}

const input = async (request: Request): Promise<z.output<typeof AttestationBody>> =>
  body(AttestationBody, await json(request), 'request body');

function attested(result: AttestResult) {
  if (result.kind === 'refused') throw refused(result.refusal);
  return { records: result.records };
}
