import { canonicalJson } from '../canonical/digest.ts';
import { Severity } from '../attestation/finding.ts';
import type { AttestationRule } from './attestations.ts';
import type { Policy } from './policy.ts';
import type { Ratchet } from './ratchet.ts';
import type { PolicyTightening } from './tightening.ts';

/**
 * Tighter is what asks for more, newer and better attestations. Producers and waivers of a model's own come on top of the floor's; which
 * people's word counts, and with how much load is tested, is the floor's alone.
 */
export function tightenAttestations(
  base: Policy['attestations'],
  own: PolicyTightening['attestations'],
  ratchet: Pick<Ratchet, 'larger' | 'smaller' | 'loosened'>,
): Pick<Policy, 'attestations'> {
  const { larger, smaller, loosened } = ratchet;
  if (base === undefined) {
    if (own !== undefined) loosened.push('attestations: the floor has none');
    return {};
  }
  const validDays = (gate: 'unitTests' | 'integrationTests' | 'load' | 'securityScan'): number =>
    smaller(`attestations.${gate}.validDays`, base[gate].validDays, own?.[gate]?.validDays);
  for (const { gates, workflow } of own?.producers ?? []) {
    const tested = gates.filter((gate) => gate === 'integration-tests' || gate === 'load');
    if (tested.length > 0)
      loosened.push(
        `attestations.producers: ${workflow} would speak for ${tested.join(', ')}, which staging finds out`,
      );
  }
  const roles = own?.codeReview?.roles ?? base.codeReview.roles;
  for (const role of roles) {
    if (!base.codeReview.roles.includes(role))
      loosened.push(
        `attestations.codeReview.roles: ${role} is none of the floor's ${base.codeReview.roles.join(', ')}`,
      );
  }
  return {
    attestations: {
      producers: together(base.producers, own?.producers),
      people: base.people,
      unitTests: { validDays: validDays('unitTests') },
      codeReview: {
        roles,
        count: larger('attestations.codeReview.count', base.codeReview.count, own?.codeReview?.count),
      },
      integrationTests: { validDays: validDays('integrationTests') },
      load: { ...tightenLoad(base.load, own?.load, ratchet), validDays: validDays('load') },
      securityScan: {
        ...tightenScan(base.securityScan, own?.securityScan, ratchet),
        validDays: validDays('securityScan'),
      },
    },
  };
}

function tightenLoad(
  base: AttestationRule['load'],
  own: NonNullable<PolicyTightening['attestations']>['load'],
  { larger, smaller }: Pick<Ratchet, 'larger' | 'smaller'>,
): AttestationRule['load'] {
  // Without the floor's a model may say its own: how fast a release can be depends on the model.
  const baseline =
    base.baseline === undefined ? own?.baseline : larger('attestations.load.baseline', base.baseline, own?.baseline);
  return {
    ...base,
    failures: smaller('attestations.load.failures', base.failures, own?.failures),
    shareOfBaseline: larger('attestations.load.shareOfBaseline', base.shareOfBaseline, own?.shareOfBaseline),
    ...(baseline === undefined ? {} : { baseline }),
  };
}

function tightenScan(
  base: AttestationRule['securityScan'],
  own: NonNullable<PolicyTightening['attestations']>['securityScan'],
  { loosened }: Pick<Ratchet, 'loosened'>,
): AttestationRule['securityScan'] {
  const severity = own?.severity ?? base.severity;
  const rank = (each: Severity): number => Severity.options.indexOf(each);
  if (rank(severity) > rank(base.severity))
    loosened.push(`attestations.securityScan.severity: ${severity} is looser than the floor's ${base.severity}`);
  const tools = own?.tools ?? base.tools;
  for (const tool of base.tools) {
    if (!tools.includes(tool))
      loosened.push(`attestations.securityScan.tools: ${tool} is the floor's and missing here`);
  }
  return { ...base, severity, tools, waivers: together(base.waivers, own?.waivers) };
}

/** The floor's and the model's own, each once. */
function together<T>(base: readonly T[], own: readonly T[] | undefined): T[] {
  const known = new Set(base.map((each) => canonicalJson(each)));
  return [...base, ...(own ?? []).filter((each) => !known.has(canonicalJson(each)))];
}
