import { z } from 'zod';
import { Refusal } from '#domain/refusal/refusal.ts';
import { Decision, type DecisionInput } from '#domain/control/decision.ts';
import type { PolicyVote } from '#domain/control/policy-vote.ts';
import type { QuarantineVote } from '#domain/control/quarantine-vote.ts';
import type { PromotionRequestBody } from '#domain/control/promotion-request-body.ts';
import { ApprovalRequest } from '#domain/control/request.ts';
import { GatehouseError } from '#domain/error.ts';
import { Role } from '#domain/policy/role.ts';
import type { Context } from '../context.ts';
import { refuse, RefusedError } from '../refusal.ts';
import { call, type HttpAnswer } from '#adapters/http-call.ts';
import { readSession, type Session, sessionFile, writeSession } from './session.ts';
import { type ControlAccess, refreshed } from './sign-in.ts';

/** What the API says of a request and the decisions on it. */
const Shown = z.object({ request: ApprovalRequest, decisions: z.array(Decision) });

/** What it says of a vote that it recorded: in which role, and by which record. */
const Voted = z.object({ role: Role, statement: z.string() });
type Voted = z.infer<typeof Voted>;

/** What it says of an attestation: the records of its chains that have it. */
export const AttestationRecords = z.object({ records: z.array(z.object({ model: z.string(), seq: z.int() })) });
export type AttestationRecords = z.infer<typeof AttestationRecords>;

/** Control's API as a signed-in person uses it. */
export interface ControlApi {
  readonly username: string;
  requests(): Promise<readonly ApprovalRequest[]>;
  request(model: string, promotion: string): Promise<z.infer<typeof Shown>>;
  ask(ask: PromotionRequestBody): Promise<{ readonly seq: number }>;
  vote(vote: PolicyVote): Promise<Voted>;
  voteToLift(vote: QuarantineVote): Promise<Voted>;
  attest(body: object): Promise<AttestationRecords>;
  decide(decision: DecisionInput): Promise<{ readonly decision: Decision; readonly statement: string }>;
}

/** A token is renewed when it has less than this to live: a call must not outlive it. */
const RENEW_BEFORE_MS = 60_000;

/** The API as the person of the stored session, with fresh tokens where they have expired. */
export async function controlApi(context: Context): Promise<ControlApi> {
  const control = context.cloud('control');
  const file = sessionFile(context.home, control.isLocal, context.terminal.env);
  const stored = await readSession(file);
  if (stored === undefined) return refuse('signed-in', 'nobody is signed in', 'sign in: gatehouse login');
  const session = await fresh(file, stored, control.endpoint, context.now());
  const send = <T>(schema: z.ZodType<T>, method: string, path: string, body?: object): Promise<T> =>
    sendToControl(schema, method, new URL(path, session.apiUrl), session.idToken, body);
  return {
    username: session.username,
    requests: async () => (await send(z.object({ requests: z.array(ApprovalRequest) }), 'GET', '/requests')).requests,
    request: (model, promotion) =>
      send(Shown, 'GET', `/requests/${encodeURIComponent(promotion)}?model=${encodeURIComponent(model)}`),
    ask: (ask) => send(z.object({ seq: z.int() }), 'POST', '/promotions', ask),
    vote: (vote) => send(Voted, 'POST', '/policies', vote),
    voteToLift: (vote) => send(Voted, 'POST', '/quarantines', vote),
    attest: (body) => send(AttestationRecords, 'POST', '/attestations', body),
    decide: (decision) => send(z.object({ decision: Decision, statement: z.string() }), 'POST', '/decisions', decision),
  };
}

/** One call of control's API, by a token of a person or of a job. */
export async function sendToControl<T>(
  schema: z.ZodType<T>,
  method: string,
  url: URL,
  token: string,
  body?: object,
): Promise<T> {
  const answer = await call(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return schema.parse(answerOf(answer));
}

/** Where control is: what its stack says, or what the caller gives. */
export async function controlAccess(
  context: Context,
  given: { readonly api?: string | undefined; readonly client?: string | undefined },
): Promise<ControlAccess> {
  const control = context.cloud('control');
  const outputs = given.api !== undefined && given.client !== undefined ? {} : await control.outputs('Control');
  const [apiUrl, clientId] = [given.api ?? outputs['ApiUrl'], given.client ?? outputs['ClientId']];
  if (apiUrl === undefined || clientId === undefined) {
    return refuse('environment-deployed', 'control is not deployed', 'run: gatehouse deploy control');
  }
  // The identity token goes there: what it is sent to, and by, is no open line.
  const { protocol, hostname } = new URL(apiUrl);
  if (protocol !== 'https:' && !hostname.endsWith('.localhost') && hostname !== '127.0.0.1')
    return refuse('api-encrypted', apiUrl);
  return { apiUrl, clientId, region: control.names.region, endpoint: control.endpoint };
}

async function fresh(file: string, session: Session, endpoint: string | undefined, now: Date): Promise<Session> {
  if (Date.parse(session.expiresAt) - now.getTime() > RENEW_BEFORE_MS) return session;
  const renewed = await refreshed({ ...session, endpoint }, session, now);
  await writeSession(file, renewed);
  return renewed;
}

const Refused = z.object({ refusal: Refusal });

/** What an answer says. @throws RefusedError for a refusal, GatehouseError for anything unexpected. */
export function answerOf({ status, text }: HttpAnswer): unknown {
  const body: unknown = parsed(text);
  if (status >= 200 && status < 300) return body;
  const refused = Refused.safeParse(body);
  if (refused.success) throw new RefusedError(refused.data.refusal);
  if (status === 401) return refuse('signed-in', 'the token is not accepted', 'sign in again: gatehouse login');
  throw new GatehouseError('CONTROL_FAILED', `control answered ${status}: ${text.slice(0, 200)}`, { status });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
