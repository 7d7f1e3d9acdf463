import type { JobClaims } from '#domain/attestation/ci-token.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';

/** Tells what the token of a CI job says, once it is verified. */
export interface JobTokens {
  /** What a token of an issuer says of its job, or why it failed verification. @throws what fetching the issuer's keys throws */
  verify(
    issuer: string,
    token: string,
  ): Promise<
    { readonly kind: 'verified'; readonly claims: JobClaims } | { readonly kind: 'refused'; readonly refusal: Refusal }
  >;
}
