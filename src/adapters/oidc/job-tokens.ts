import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { JobClaims } from '#domain/attestation/ci-token.ts';
import { GatehouseError } from '#domain/error.ts';
import { refusal } from '#domain/refusal/refusal.ts';
import type { Clock } from '#ports/clock.ts';
import type { JobTokens } from '#ports/job-tokens.ts';

/** An issuer of tokens, as `gatehouse.config.ts` names it. */
export interface Issuer {
  readonly name: string;
  readonly issuer: string;
  readonly audience: string;
}

/** What an issuer signs by; nothing else is accepted, `none` and shared secrets least of all. */
const ALGORITHMS = ['RS256'];
/** A job fetches its token when it needs it: GitHub's live for some minutes. */
const OLDEST_TOKEN = '15m';
/** Seconds by which two clocks may differ. */
const CLOCK_TOLERANCE = 30;

/** Verifies tokens of jobs by the keys of their issuers, whatever an authorizer before it has verified. */
export function jobTokens(
  issuers: readonly Issuer[],
  clock: Clock,
  keysOf: (issuer: Issuer) => JWTVerifyGetKey | Promise<JWTVerifyGetKey> = discoveredKeys(),
): JobTokens {
  return {
    async verify(name, token) {
      const issuer = issuers.find((each) => each.name === name);
      if (issuer === undefined)
        return { kind: 'refused', refusal: refusal('token-valid', `no issuer is called ${name}`) };
      try {
        const { payload } = await jwtVerify(token, await keysOf(issuer), {
          issuer: issuer.issuer,
          audience: issuer.audience,
          algorithms: ALGORITHMS,
          requiredClaims: ['exp', 'iat', 'jti', 'sub'],
          maxTokenAge: OLDEST_TOKEN,
          clockTolerance: CLOCK_TOLERANCE,
          currentDate: clock.now(),
        });
        const claims = JobClaims.safeParse(payload);
        if (claims.success) return { kind: 'verified', claims: claims.data };
        const missing = claims.error.issues.map(({ path }) => path.join('.')).join(', ');
        return { kind: 'refused', refusal: refusal('token-valid', `claims are missing or not valid: ${missing}`) };
      } catch (error) {
        if (
          !(error instanceof errors.JOSEError) ||
          error.code === GENERIC ||
          UNREACHABLE.some((kind) => error instanceof kind)
        )
          throw error;
        return { kind: 'refused', refusal: refusal('token-valid', error.message.slice(0, 200)) };
      }
    },
  };
}

/** What says nothing of a token: the issuer does not answer, or not with keys. */
const UNREACHABLE = [errors.JWKSTimeout, errors.JWKSInvalid];

/** How `jose` calls what has no name of its own, such as keys that are answered by a status of error. */
const GENERIC = errors.JOSEError.code;

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** The keys of issuers, where their discovery documents say; fetched once, and again where a key is unknown. */
function discoveredKeys(): (issuer: Issuer) => Promise<JWTVerifyGetKey> {
  const known = new Map<string, Promise<JWTVerifyGetKey>>();
  return async ({ issuer }) => {
    const found = known.get(issuer) ?? discover(issuer);
    known.set(issuer, found);
    // What failed is tried anew by the next request.
    found.catch(() => known.delete(issuer));
    return found;
  };
}

async function discover(issuer: string): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: 'error' });
  if (!response.ok) throw new GatehouseError('ISSUER_SILENT', `${url} answered ${response.status}`, { issuer });
  const { issuer: named, jwks_uri: uri } = Discovery.parse(await response.json());
  if (named !== issuer) throw new GatehouseError('ISSUER_SILENT', `${url} is of ${named}`, { issuer });
  return createRemoteJWKSet(new URL(uri), { timeoutDuration: 5000 });
}
