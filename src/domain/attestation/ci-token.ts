import { z } from 'zod';
import { SeenText } from '../text.ts';
import { type Refusal, refusal } from '../refusal/refusal.ts';
import type { Producer } from './attestation.ts';
import { Commit } from './finding.ts';

const Claim = SeenText.min(1).max(300);

/**
 * What the OIDC token of a CI job says of the job, once it is verified. The names are GitHub's.
 * Source: https://docs.github.com/en/actions/reference/security/oidc
 */
export const JobClaims = z.object({
  /** Each token's own. */
  jti: Claim,
  sha: Commit,
  ref: Claim,
  ref_protected: z.enum(['true', 'false']),
  repository: SeenText.min(3).max(140),
  repository_id: z.string().regex(/^\d{1,20}$/),
  event_name: SeenText.min(1).max(40),
  job_workflow_ref: Claim,
  run_id: z.string().regex(/^\d{1,20}$/),
  run_attempt: z.string().regex(/^\d{1,6}$/),
  actor: SeenText.min(1).max(80),
});
export type JobClaims = z.infer<typeof JobClaims>;

/** A job of a CI system, known by a token that was verified. */
export interface Job {
  readonly issuer: string;
  readonly claims: JobClaims;
}

/** The job as the producer of what it attests; `server` is where its issuer's runs are shown. */
export function producerOf({ issuer, claims }: Job, server: string): Extract<Producer, { kind: 'ci' }> {
  return {
    kind: 'ci',
    issuer,
    repositoryId: claims.repository_id,
    repository: claims.repository,
    workflow: claims.job_workflow_ref,
    event: claims.event_name,
    ref: claims.ref,
    actor: claims.actor,
    run: `${server}/${claims.repository}/actions/runs/${claims.run_id}/attempts/${claims.run_attempt}`,
  };
}

/** Why a job may attest nothing, whatever a policy says, or undefined: what anybody may push to is not protected. */
export function whyNotAttesting({ claims }: Job, isOfCommit: boolean): Refusal | undefined {
  if (claims.ref_protected !== 'true')
    return refusal('ref-protected', `${claims.ref} of ${claims.repository} is not protected`);
  if (isOfCommit && (claims.event_name !== 'push' || !claims.ref.startsWith('refs/heads/')))
    return refusal('commit-pushed', `the job was started by ${claims.event_name} of ${claims.ref}`);
  return undefined;
}
