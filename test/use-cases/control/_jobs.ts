import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { jobTokens } from '#adapters/oidc/job-tokens.ts';
import { COMMIT } from '#test/domain/gates/_attestations.ts';

export const ISSUER = { name: 'github', issuer: 'https://tokens.example.com', audience: 'gatehouse' } as const;

/** What a job of a push to the protected main branch says of itself. */
export const JOB = {
  sha: COMMIT,
  ref: 'refs/heads/main',
  ref_protected: 'true',
  repository: 'acme/models',
  repository_id: '42',
  event_name: 'push',
  job_workflow_ref: 'acme/models/.github/workflows/attest.yml@refs/heads/main',
  run_id: '1001',
  run_attempt: '1',
  actor: 'ann-gh',
} as const;

export interface Signing {
  readonly audience?: string;
  readonly issuer?: string;
  readonly issuedAt?: number;
  readonly expiresIn?: number;
  readonly alg?: string;
  readonly key?: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'] | Uint8Array;
  readonly jti?: string | null;
}

const { publicKey, privateKey } = await generateKeyPair('RS256');
const KID = 'the key';
let count = 0;

/** Signs what a job says, as its issuer does unless it is said otherwise; times are seconds of the epoch. */
export async function tokenOf(now: number, claims: object = {}, given: Signing = {}): Promise<string> {
  count += 1;
  const { alg = 'RS256', key = privateKey, audience = ISSUER.audience, issuer = ISSUER.issuer } = given;
  const at = given.issuedAt ?? Math.floor(now / 1000);
  const { jti = `token-${count}` } = given;
  const token = new SignJWT({ ...JOB, ...claims, ...(jti === null ? {} : { jti }) })
    .setProtectedHeader({ alg, kid: KID })
    .setIssuer(issuer)
    .setSubject('repo:acme/models:ref:refs/heads/main')
    .setAudience(audience)
    .setIssuedAt(at)
    .setExpirationTime(at + (given.expiresIn ?? 300));
  return token.sign(key);
}

const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: KID, alg: 'RS256' }] });

/** Our own verification, by the keys of that issuer. */
export const tokens = (clock: { now: () => Date }) => jobTokens([ISSUER], clock, () => keys);
