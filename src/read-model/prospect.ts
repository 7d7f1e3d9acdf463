import { type Attestation, AttestedGate } from '#domain/attestation/attestation.ts';
import { NewestAttestations } from '#domain/attestation/newest.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { ORIGIN, sourceOf } from '#domain/environment/environment.ts';
import type { GateId, GateResult } from '#domain/gates/gate.ts';
import { dataValidated } from '#domain/gates/gates/data-validated.ts';
import { releasedUpstream } from '#domain/gates/gates/released-upstream.ts';
import { keyText } from '#domain/ledger/item.ts';
import type { TargetEnvironment } from '#domain/policy/policy.ts';
import type { AttestationRule } from '#domain/policy/attestations.ts';
import { attestationKeys, attestedVerdict } from '#domain/promotion/attested-grounds.ts';
import { confirmedReleases } from '#domain/promotion/pointer.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { bestThroughput } from './attestations.ts';
import { findEach } from './items.ts';
import { readPointer } from './pointer.ts';
import { readActivePolicy } from './policy.ts';
import { readUpstream } from './upstream.ts';

/** What an environment's ledger says of a release now, whether or not a promotion of it was ever opened. */
export interface Prospect {
  /** Each gate of the policy in force; what needs the release's files or a comparison is judged by a promotion only. */
  readonly gates: readonly { readonly gate: GateId; readonly result: GateResult | undefined }[];
  /** What is attested of the release and its commit, for every gate that judges attestations. */
  readonly attestations: readonly Attestation[];
  /** What the policy in force says of attestations. */
  readonly rule: AttestationRule | undefined;
}

/** Judges a release by what an environment knows of it now. */
export async function readProspect(
  ledger: ReadableLedger,
  {
    model,
    release,
    objectiveMs,
  }: { readonly model: string; readonly release: Digest; readonly objectiveMs: number | null },
  environment: TargetEnvironment,
  now: Date,
): Promise<Prospect> {
  const source = sourceOf(environment) ?? ORIGIN;
  const [active, pointer, [origin, before]] = await Promise.all([
    readActivePolicy(ledger, model),
    readPointer(ledger, model),
    readUpstream(ledger, model, release, [ORIGIN, source]),
  ]);
  const gates = active?.rules.transitions[environment].gates ?? [];
  const upstream = new Map(origin === undefined ? [] : [[ORIGIN, origin]]);
  const aimed = { promotion: { model, release, gates: [...AttestedGate.options] }, upstream };
  const places = attestationKeys(aimed);
  const found = await findEach(ledger, places, NewestAttestations);
  const attestations = new Map(
    places.flatMap((key, at) => {
      const each = found[at];
      return each === undefined ? [] : [[keyText(key), each] as const];
    }),
  );
  const rule = active?.rules.attestations;
  const earlier = confirmedReleases(pointer).filter((each) => each.release !== release);
  // Only load is compared with what others reached.
  const baseline = objectiveMs === null ? null : await bestThroughput(ledger, model, earlier, rule);
  const target = { objectiveMs, baseline };
  const resultOf = (gate: GateId): GateResult | undefined => {
    if (gate === 'released-upstream') return releasedUpstream(before, release, source);
    if (gate === 'data-validated') return dataValidated(origin, release);
    const attested = AttestedGate.safeParse(gate);
    if (!attested.success) return undefined;
    const state = { promotion: { model, release, gates: [gate] }, upstream, attestations, active };
    return attestedVerdict(attested.data, state, target, now);
  };
  return {
    gates: gates.map((gate) => ({ gate, result: resultOf(gate) })),
    attestations: [...attestations.values()].flatMap(({ newest }) => newest),
    rule,
  };
}
