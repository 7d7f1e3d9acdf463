import type { AttestationRule, CiProducer } from '../policy/attestations.ts';
import type { AttestedGate, Attestation, Producer } from './attestation.ts';

/** The gates whose findings the tasks of staging make. */
const MADE_IN_STAGING: ReadonlySet<AttestedGate> = new Set(['integration-tests', 'load', 'security-scan']);

type Ci = Extract<Producer, { kind: 'ci' }>;

/** Why the word of a producer does not count for a gate, or undefined: by the policy in force where it is to count. */
export function whyNotCounting(
  { gate, environment, producer }: Pick<Attestation, 'gate' | 'environment' | 'producer'>,
  rule: Pick<AttestationRule, 'producers' | 'people'>,
): string | undefined {
  switch (producer.kind) {
    case 'pipeline':
      return environment === 'staging' && producer.environment === 'staging' && MADE_IN_STAGING.has(gate)
        ? undefined
        : `tasks of ${producer.environment} do not attest ${gate}, in the chain of ${environment}`;
    case 'person': {
      const isNamed = rule.people.some(({ gates, subject }) => subject === producer.subject && gates.includes(gate));
      return environment === 'control' && isNamed
        ? undefined
        : `it is a claim: the policy names no ${producer.subject} for ${gate}`;
    }
    case 'ci': {
      if (environment !== 'control') return `CI attests in control's chain, not in that of ${environment}`;
      const differing = rule.producers
        .filter(({ gates }) => gates.includes(gate))
        .map((each) => differs(each, producer));
      if (differing.some((each) => each === undefined)) return undefined;
      return differing[0] ?? `the policy names no producer of ${gate}`;
    }
  }
}

/** What a CI job is otherwise than a producer of the policy, or undefined. */
function differs(
  named: CiProducer,
  job: Pick<Ci, 'issuer' | 'repositoryId' | 'workflow' | 'event' | 'ref'>,
): string | undefined {
  if (named.issuer !== job.issuer) return `the issuer is ${job.issuer}, not ${named.issuer}`;
  if (named.repositoryId !== job.repositoryId)
    return `the repository is ${job.repositoryId}, not ${named.repositoryId}`;
  if (named.workflow !== job.workflow) return `the workflow is ${job.workflow}, not ${named.workflow}`;
  if (!named.events.includes(job.event)) return `the event is ${job.event}, not ${named.events.join(' or ')}`;
  if (!named.refs.includes(job.ref)) return `the ref is ${job.ref}, not ${named.refs.join(' or ')}`;
  return undefined;
}

/** The attestations that count, the newest first; those of other chains by their own clocks. */
export function counting(
  newest: readonly Attestation[],
  rule: Pick<AttestationRule, 'producers' | 'people'>,
): readonly Attestation[] {
  return newest
    .filter((each) => whyNotCounting(each, rule) === undefined)
    .toSorted((one, other) =>
      one.environment === other.environment ? other.seq - one.seq : Date.parse(other.at) - Date.parse(one.at),
    );
}

/** When an attestation no longer counts: so many days after it was recorded. */
export function expiryOf({ at }: Pick<Attestation, 'at'>, validDays: number): Date {
  return new Date(Date.parse(at) + validDays * 86_400_000);
}

/** Machine and name of an execution, which its ARN ends with. */
function executionName(arn: string): string {
  return arn.split(':').slice(-2).join(' ');
}

/** Who attests, in a line. */
export function producerText(producer: Producer): string {
  switch (producer.kind) {
    case 'ci':
      return `${producer.repository} (${producer.issuer}), ${producer.workflow}`;
    case 'pipeline':
      return `${producer.environment}, ${executionName(producer.execution)}`;
    case 'person':
      return producer.subject;
  }
}
