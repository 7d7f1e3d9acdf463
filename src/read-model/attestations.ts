import { type AttestedGate, Attestation, type Subject } from '#domain/attestation/attestation.ts';
import { counting } from '#domain/attestation/counting.ts';
import { attestationsKey, NewestAttestations } from '#domain/attestation/newest.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import type { AttestationRule } from '#domain/policy/attestations.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find, findEach } from './items.ts';

/** What is attested of a subject, for one gate. */
export async function findAttestations(
  ledger: ReadableLedger,
  model: string,
  gate: AttestedGate,
  subject: Subject,
): Promise<NewestAttestations | undefined> {
  return find(ledger, attestationsKey(model, gate, subject), NewestAttestations);
}

/** The newest word of each source on some subjects, for one gate. */
export async function readAttestations(
  ledger: ReadableLedger,
  model: string,
  gate: AttestedGate,
  subjects: readonly Subject[],
): Promise<readonly Attestation[]> {
  const found = await findEach(
    ledger,
    subjects.map((subject) => attestationsKey(model, gate, subject)),
    NewestAttestations,
  );
  return found.flatMap((each) => each?.newest ?? []);
}

/** The most requests by second that any of some releases answered, as the newest attestation of each says; null where none does. */
export async function bestThroughput(
  ledger: ReadableLedger,
  model: string,
  releases: readonly { readonly release: Digest }[],
  rule: AttestationRule | undefined,
): Promise<number | null> {
  if (rule === undefined) return null;
  const found = await Promise.all(
    releases.map(({ release }) => readAttestations(ledger, model, 'load', [{ kind: 'release', release }])),
  );
  const rates = found.flatMap((each) => {
    const finding = counting(each, rule)[0]?.finding;
    return finding?.kind === 'load' ? [finding.throughput] : [];
  });
  return rates.length === 0 ? null : Math.max(...rates);
}
