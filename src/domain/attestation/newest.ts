import { z } from 'zod';
import { digestOfJson } from '../canonical/digest.ts';
import { ABSENT, equals, type Key, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { AttestedGate, Attestation, type Subject } from './attestation.ts';

/** How many sources of one gate and subject are remembered. */
const MOST_SOURCES = 24;

/** The newest word of each source on one subject, for one gate. */
export const NewestAttestations = z.strictObject({
  formatVersion: z.literal(1),
  model: Attestation.shape.model,
  gate: AttestedGate,
  newest: z.array(Attestation).min(1).max(MOST_SOURCES),
  /** Grows by one with each attestation that is kept. */
  count: z.int().min(1),
});
export type NewestAttestations = z.infer<typeof NewestAttestations>;

/** Where the attestations of a subject stand. */
export function attestationsKey(model: string, gate: AttestedGate, subject: Subject): Key {
  return keys.attestations(model, gate, subject.kind === 'commit' ? subject.commit : subject.release);
}

/** The attestations of a subject with one more; undefined where that one is not kept: its source has said something since, or too many have. */
export function withAttestation(
  known: NewestAttestations | undefined,
  attestation: Attestation,
): NewestAttestations | undefined {
  const { model, gate } = attestation;
  const source = sourceOf(attestation);
  const earlier = known?.newest.find((each) => sourceOf(each) === source);
  if (earlier !== undefined && earlier.seq >= attestation.seq) return undefined;
  const others = remembered(
    (known?.newest ?? []).filter((each) => each !== earlier),
    attestation,
  );
  if (others === undefined) return undefined;
  return {
    formatVersion: 1,
    model,
    gate,
    newest: [...others, attestation],
    count: (known?.count ?? 0) + 1,
  };
}

/** How many tools of one person are remembered. */
const MOST_OF_PERSON = 4;

/**
 * The sources that are remembered beside a new one, or undefined where it is none that is. A person's word takes the place of
 * their own earlier one only, and where all places are taken it takes none: no flood of claims hides who counts, nor an objection.
 */
function remembered(others: readonly Attestation[], added: Attestation): readonly Attestation[] | undefined {
  const { producer } = added;
  if (producer.kind === 'person') {
    const isOwn = (each: Attestation): boolean =>
      each.producer.kind === 'person' && each.producer.subject === producer.subject;
    const own = others.filter(isOwn);
    if (own.length >= MOST_OF_PERSON) return others.filter((each) => each !== own[0]);
    return others.length < MOST_SOURCES ? others : undefined;
  }
  if (others.length < MOST_SOURCES) return others;
  const claim = others.findIndex((each) => each.producer.kind === 'person');
  return others.toSpliced(Math.max(0, claim), 1);
}

/** The write of a subject's attestations, over those that were read. */
export function attestationsWrite(
  subject: Subject,
  known: NewestAttestations | undefined,
  next: NewestAttestations,
): Write {
  const key = attestationsKey(next.model, next.gate, subject);
  return { kind: 'put', item: { ...key, ...next }, condition: isAsRead(known) };
}

/** The check that a subject's attestations are what was read. */
export function attestationsCheck(key: Key, known: NewestAttestations | undefined): Write {
  return { kind: 'check', key, condition: isAsRead(known) };
}

const isAsRead = (known: NewestAttestations | undefined) =>
  known === undefined ? ABSENT : equals({ count: known.count });

/** Which attestation replaces which: the same producer's, by the same tool, in the same chain. */
function sourceOf({ environment, producer, finding }: Attestation): string {
  const tool = finding.kind === 'scan' ? finding.tool : '';
  const by =
    producer.kind === 'ci'
      ? [producer.issuer, producer.repositoryId, producer.workflow, producer.event, producer.ref]
      : producer.kind === 'pipeline'
        ? [producer.environment]
        : [producer.subject];
  return digestOfJson([environment, producer.kind, ...by, tool]);
}

/** A commit of a manifest, or why it names none: what was changed and not committed has no commit. */
export function commitIn(code: string): { readonly commit: string } | { readonly none: string } {
  if (/^[0-9a-f]{40}$/.test(code)) return { commit: code };
  return code.includes('+')
    ? { none: `it was made from ${code}: with changes that no commit has` }
    : { none: `it names ${code}, and no commit` };
}
