import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';
import { ModelName } from '../model/definition.ts';
import { Commit, Finding } from './finding.ts';

/** The gates that judge what somebody else attests. */
export const AttestedGate = z.enum(['unit-tests', 'code-review', 'integration-tests', 'load', 'security-scan']);
export type AttestedGate = z.infer<typeof AttestedGate>;

/** What an attestation is about: the commit that a release was made from, or the release itself. */
export const Subject = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('commit'), commit: Commit }),
  z.strictObject({ kind: z.literal('release'), release: Digest }),
]);
export type Subject = z.infer<typeof Subject>;

const Text = z.string().min(1).max(300);

/** Who attests, as it was verified when the attestation was recorded. */
export const Producer = z.discriminatedUnion('kind', [
  /** A job of a CI system, by the claims of its OIDC token. */
  z.strictObject({
    kind: z.literal('ci'),
    /** The name that `gatehouse.config.ts` gives the issuer. */
    issuer: z.string().min(1).max(40),
    /** The forge's number of the repository, which no renaming changes. */
    repositoryId: z.string().min(1).max(40),
    repository: Text,
    /** `job_workflow_ref`: the workflow whose job it is, at its ref. */
    workflow: Text,
    event: z.string().min(1).max(40),
    ref: Text,
    actor: z.string().min(1).max(80),
    run: Text,
  }),
  /** A machine of Gatehouse, in the environment whose chain says so. */
  z.strictObject({ kind: z.literal('pipeline'), environment: z.string().min(1).max(20), execution: Text }),
  /** A signed-in person: a claim, unless a policy names the person. */
  z.strictObject({ kind: z.literal('person'), subject: z.string().min(1).max(140) }),
]);
export type Producer = z.infer<typeof Producer>;

/** What a chain's record `ATTESTED` says; the model, and the release where it is the subject, are the record's. */
export const Attested = z.strictObject({
  gate: AttestedGate,
  commit: Commit.nullable(),
  producer: Producer,
  /** The format of the report, or `gatehouse` where its own task found what it says. */
  format: z.string().min(1).max(40),
  /** The report as it came, as an object by digest in the account whose chain says so. */
  report: Digest,
  finding: Finding,
});
export type Attested = z.infer<typeof Attested>;

/** An attestation: what a chain says of a subject, and where and when it says so. */
export const Attestation = Attested.omit({ commit: true }).extend({
  model: ModelName,
  subject: Subject,
  /** The environment whose chain has the record. */
  environment: z.string().min(1),
  seq: z.int().nonnegative(),
  record: Digest,
  at: z.iso.datetime(),
});
export type Attestation = z.infer<typeof Attestation>;
