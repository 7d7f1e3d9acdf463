import { Attestation, type Subject } from '#domain/attestation/attestation.ts';
import { attestationsWrite, withAttestation } from '#domain/attestation/newest.ts';
import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { findAttestations } from '#read-model/attestations.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

/** How often an attestation is tried anew when another one of the same subject came first. */
const ATTEMPTS = 5;

/**
 * Keeps what a peer's signed record attests, whoever it is by: whose attestations count is the policy's to say, when a gate judges.
 * One that comes twice, or after a later one of the same source, changes nothing.
 */
export async function keepAttestation(deps: Recording, record: AuditRecord, hash: Digest): Promise<void> {
  const attestation = attestationIn(record, hash);
  if (attestation === undefined) return;
  const { model, gate, subject } = attestation;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const known = await findAttestations(deps.ledger, model, gate, subject);
    const next = withAttestation(known, attestation);
    if (next === undefined) return;
    const result = await recordChange(deps, {
      model,
      operation: operationName('attested', hash),
      writes: [attestationsWrite(subject, known, next)],
      event: {
        code: 'ATTESTATION_VERIFIED',
        actor: 'pipeline:intake',
        release: subject.kind === 'release' ? subject.release : null,
        details: {
          gate,
          commit: subject.kind === 'commit' ? subject.commit : null,
          peer: record.environment,
          seq: record.seq,
          record: hash,
        },
      },
    });
    if (result.kind !== 'refused') return;
  }
  throw new GatehouseError('CHAIN_CONTENDED', `what is attested of ${gate} did not come to rest; try again`, {
    model,
  });
}

/** What a record attests; undefined where it names neither a release nor a commit. */
export function attestationIn(record: AuditRecord, hash: Digest): Attestation | undefined {
  const { commit, ...attested } = detailsOf(record, 'ATTESTED');
  const subject: Subject | undefined =
    commit !== null
      ? { kind: 'commit', commit }
      : record.release === null
        ? undefined
        : { kind: 'release', release: record.release };
  if (subject === undefined) return undefined;
  const { model, environment, seq, at } = record;
  return Attestation.parse({ ...attested, model, subject, environment, seq, record: hash, at });
}
