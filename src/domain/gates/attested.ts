import type { AttestedGate, Attestation, Subject } from '../attestation/attestation.ts';
import { counting, expiryOf, producerText, whyNotCounting } from '../attestation/counting.ts';
import type { Finding } from '../attestation/finding.ts';
import { commitIn } from '../attestation/newest.ts';
import type { Digest } from '../canonical/digest.ts';
import type { AttestationRule } from '../policy/attestations.ts';
import type { GateResult } from './gate.ts';

/** What attestations of a release are about: the release and, where its manifest names one, the commit that it was made from. */
export interface Subjects {
  readonly release: Digest;
  readonly commit: string | null;
  /** Why there is no commit. */
  readonly none: string | null;
}

/** What a gate that judges attestations is given. */
export interface AttestedCase {
  readonly subjects: Subjects;
  /** The newest word of each source on the gate's subjects. */
  readonly newest: readonly Attestation[];
  /** What the policy in force says. */
  readonly rule: AttestationRule;
  readonly now: Date;
}

/** Of which subjects a gate's attestations are. */
export const GATE_SUBJECTS: Readonly<Record<AttestedGate, readonly Subject['kind'][]>> = {
  'unit-tests': ['commit'],
  'code-review': ['commit'],
  'integration-tests': ['release'],
  load: ['release'],
  // Dependencies and code are the commit's; operators and weights are the release's.
  'security-scan': ['release', 'commit'],
};

/** What a release and the commit of its manifest (`code.commit`) are as subjects; undefined where the manifest is unknown. */
export function subjectsOf(release: Digest, code: string | undefined): Subjects {
  if (code === undefined) return { release, commit: null, none: 'whoever trained it has not said from which commit' };
  const named = commitIn(code);
  return 'none' in named ? { release, commit: null, none: named.none } : { release, commit: named.commit, none: null };
}

/** The subjects of a gate's attestations, of those that there are. */
export function subjectsFor(gate: AttestedGate, { release, commit }: Subjects): readonly Subject[] {
  return GATE_SUBJECTS[gate].flatMap((kind): Subject[] => {
    if (kind === 'release') return [{ kind, release }];
    return commit === null ? [] : [{ kind, commit }];
  });
}

type Found<Kind extends Finding['kind']> = Attestation & { readonly finding: Extract<Finding, { kind: Kind }> };

/**
 * Judges the newest attestation that counts. What is missing, expired, or says something else than the gate judges does not
 * pass, and the command that would give it is named.
 */
export function judgeNewest<Kind extends Finding['kind']>(
  gate: AttestedGate,
  { subjects, newest, rule, now }: AttestedCase,
  kind: Kind,
  validDays: number | null,
  judge: (found: Found<Kind>) => GateResult,
): GateResult {
  if (subjectsFor(gate, subjects).length === 0) return fails([subjects.none ?? 'there is no commit']);
  const [first] = counting(newest, rule);
  if (first === undefined) return inconclusive([missing(gate, subjects), ...claims(newest, rule)]);
  const expires = validDays === null ? null : expiryOf(first, validDays);
  if (expires !== null && !(expires > now))
    return inconclusive([`${said(first)} expired at ${expires.toISOString()}`, howToGet(gate, subjects)]);
  if (!isOf(first, kind)) return fails([`${said(first)} is a finding of kind ${first.finding.kind}, not ${kind}`]);
  const { reasons, ...result } = judge(first);
  return {
    ...result,
    ...(expires === null ? {} : { expiresAt: expires.toISOString() }),
    reasons: [...reasons, said(first)],
  };
}

export function isOf<Kind extends Finding['kind']>(attestation: Attestation, kind: Kind): attestation is Found<Kind> {
  return attestation.finding.kind === kind;
}

/** Who said something, where and when. */
export function said({ producer, environment, seq, at }: Attestation): string {
  return `attested by ${producerText(producer)} at ${at}, record ${seq} of ${environment}`;
}

/** That nothing attests what a gate wants, and how that would be changed. */
export function missing(gate: AttestedGate, subjects: Subjects, tool = ''): string {
  return `no attestation of ${tool === '' ? '' : `${tool} of `}${subjectText(gate, subjects)} counts; ${howToGet(gate, subjects)}`;
}

/** What was attested and does not count, and why. */
export function claims(newest: readonly Attestation[], rule: AttestationRule): readonly string[] {
  return newest.flatMap((each) => {
    const why = whyNotCounting(each, rule);
    return why === undefined ? [] : [`${said(each)} does not count: ${why}`];
  });
}

/** The command that gives a gate its attestation. */
export function howToGet(gate: AttestedGate, subjects: Subjects): string {
  return GATE_SUBJECTS[gate].includes('release')
    ? `run: gatehouse attest ${gate} --release ${subjects.release.slice(0, 19)} --env staging`
    : `in CI, run: gatehouse attest ${gate} --commit ${subjects.commit ?? 'SHA'} --from FILE`;
}

function subjectText(gate: AttestedGate, { release, commit }: Subjects): string {
  return GATE_SUBJECTS[gate].includes('release') ? `release ${release.slice(0, 19)}` : `commit ${commit ?? 'unknown'}`;
}

export const fails = (reasons: readonly string[], numbers = {}): GateResult => ({ verdict: 'FAIL', reasons, numbers });
export const inconclusive = (reasons: readonly string[], numbers = {}): GateResult => ({
  verdict: 'INCONCLUSIVE',
  reasons,
  numbers,
});
