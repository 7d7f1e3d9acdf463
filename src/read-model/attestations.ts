import { z } from 'zod';
import { type AttestedGate, Attestation, type Subject } from '#domain/attestation/attestation.ts';
import { counting } from '#domain/attestation/counting.ts';
import { attestationsKey, NewestAttestations } from '#domain/attestation/newest.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import type { AttestationRule } from '#domain/policy/attestations.ts';
import type { Key } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
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

const Claims = z.object({ count: z.int().min(1) });

/** Where it stands how many claims a person has made of a model on an occasion. */
export const claimsKey = (model: string, occasion: string): Key => keys.attestations(model, 'claims', occasion);

/** How many claims a person has made of a model on an occasion; undefined where none. */
export async function findClaims(
  ledger: ReadableLedger,
  model: string,
  occasion: string,
): Promise<z.infer<typeof Claims> | undefined> {
  return find(ledger, claimsKey(model, occasion), Claims);
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
