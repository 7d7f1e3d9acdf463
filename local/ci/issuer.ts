import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { Hono } from 'hono';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** Where the local cloud's issuer stands below its host, and the name by which policies name it. */
export const LOCAL_ISSUER = { name: 'local', path: '/ci' } as const;

/** The issuer's URL, of the host that serves it. */
export const issuerUrl = (endpoint: string): string => `${endpoint}${LOCAL_ISSUER.path}`;

/** How long a token of a job lives, as GitHub's do. */
const TOKEN_LIFETIME = '5m';

/** The claims of a job that asks for a token: in GitHub's place, whoever asks says which job it is. */
const Job = z.record(z.string(), z.string());

/**
 * An OIDC issuer of tokens for CI jobs, in the place of GitHub's: discovery, keys, and the request by which a job gets its token.
 * It signs what it is asked to, so that it is worth something on this host only.
 */
export function createIssuer(home: string, endpoint: string): Hono {
  const app = new Hono();
  const issuer = issuerUrl(endpoint);
  const keys = keyOf(join(home, 'ci', 'key.json'));
  app.get('/.well-known/openid-configuration', (context) => {
    const jwks = `${issuer}/.well-known/jwks`;
    return context.json({ issuer, jwks_uri: jwks, id_token_signing_alg_values_supported: ['RS256'] });
  });
  app.get('/.well-known/jwks', async (context) => {
    const { kty, n, e, kid } = await keys;
    return context.json({ keys: [{ kty, n, e, kid, alg: 'RS256', use: 'sig' }] });
  });
  app.get('/token', async (context) => {
    const bearer = context.req.header('authorization')?.replace(/^Bearer /i, '') ?? '';
    const job = Job.parse(JSON.parse(Buffer.from(bearer, 'base64url').toString('utf8')));
    const key = await keys;
    const value = await new SignJWT({ jti: crypto.randomUUID(), ...job })
      .setProtectedHeader({ alg: 'RS256', kid: key.kid ?? '' })
      .setIssuer(issuer)
      .setSubject(`repo:${job['repository'] ?? ''}:ref:${job['ref'] ?? ''}`)
      .setAudience(context.req.query('audience') ?? '')
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime(TOKEN_LIFETIME)
      .sign(await importJWK(key, 'RS256'));
    return context.json({ value });
  });
  return app;
}

/** What a runner puts into the environment of a job, so that `gatehouse attest` gets a token for it. */
export function jobEnvironment(endpoint: string, job: z.infer<typeof Job>): Readonly<Record<string, string>> {
  return {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${issuerUrl(endpoint)}/token?api-version=2`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: Buffer.from(JSON.stringify(job)).toString('base64url'),
  };
}

/** The key of a home: the same after each start, as the emulator's authorizers keep what they have fetched. */
async function keyOf(file: string): Promise<JWK> {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as JWK;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: crypto.randomUUID() };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(key), { mode: 0o600 });
  return key;
}
