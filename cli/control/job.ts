import { z } from 'zod';
import { call } from '#adapters/http-call.ts';
import { refuse } from '../refusal.ts';
import type { Terminal } from '../terminal.ts';

/** Whether the command runs in a job that may fetch a token, as GitHub's runners say. */
export function isJob({ ACTIONS_ID_TOKEN_REQUEST_URL: url }: Terminal['env']): boolean {
  return url !== undefined && url !== '';
}

/** A token of the job that runs, for an audience. Source: https://docs.github.com/en/actions/reference/security/oidc */
export async function jobToken(env: Terminal['env'], audience: string): Promise<string> {
  const [url, bearer] = [env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '', env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? ''];
  const from = new URL(url);
  from.searchParams.set('audience', audience);
  const { status, text } = await call(from, { method: 'GET', headers: { authorization: `Bearer ${bearer}` } });
  if (status !== 200) return refuse('token-valid', `the runner gave no token: ${status}`);
  return z.object({ value: z.string().min(1) }).parse(JSON.parse(text)).value;
}
