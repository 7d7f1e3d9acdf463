import { GatehouseError } from '../error.ts';
import type { ApprovalRule } from './approval-rule.ts';
import type { ComparisonRule, DataRule, Policy, PolicyFloor, ProbationRule, TransitionRule } from './policy.ts';
import type { Allowed, Bound, Ratchet } from './ratchet.ts';
import { tightenCanary } from './tighten-canary.ts';
import { tightenAttestations } from './tighten-attestations.ts';
import type { PolicyTightening, TransitionTightening } from './tightening.ts';

function tightenComparison(
  base: ComparisonRule,
  own: NonNullable<PolicyTightening['comparison']>,
  { larger, smaller, allowed, loosened }: Ratchet,
): ComparisonRule {
  const more = (key: NumberOf<ComparisonRule>): number => larger(`comparison.${key}`, base[key], own[key]);
  const less = (key: NumberOf<ComparisonRule>): number => smaller(`comparison.${key}`, base[key], own[key]);
  const guard = (key: keyof ComparisonRule['guards']): number =>
    smaller(`comparison.guards.${key}`, base.guards[key], own.guards?.[key]);
  // A finer unit calls noise a gain, and nobody can tell from a column's name how fine it is.
  if (own.cluster !== undefined && own.cluster !== base.cluster)
    loosened.push(`comparison.cluster: ${own.cluster} is not the floor's ${base.cluster}`);
  if (own.seeded === false && base.seeded) loosened.push("comparison.seeded: false is looser than the floor's true");
  const columns = own.slices?.columns ?? base.slices.columns;
  for (const column of base.slices.columns) {
    if (!columns.includes(column))
      loosened.push(`comparison.slices.columns: ${column} is the floor's and missing here`);
  }
  return {
    cluster: base.cluster,
    minimumImprovement: more('minimumImprovement'),
    minimumImprovementSeeded: more('minimumImprovementSeeded'),
    seeded: own.seeded ?? base.seeded,
    confidence: more('confidence'),
    minimumDays: more('minimumDays'),
    minimumRows: more('minimumRows'),
    minimumSkill: more('minimumSkill'),
    ...allowed('comparison.provisional', base.provisional, own.provisional, (provisional, mine) => ({
      provisional: {
        minimumImprovement: larger(
          'comparison.provisional.minimumImprovement',
          provisional.minimumImprovement,
          mine.minimumImprovement,
        ),
        tolerance: smaller('comparison.provisional.tolerance', provisional.tolerance, mine.tolerance),
      },
    })),
    tooGood: less('tooGood'),
    baseRateFactor: less('baseRateFactor'),
    slices: {
      columns,
      largest: larger('comparison.slices.largest', base.slices.largest, own.slices?.largest),
      level: larger('comparison.slices.level', base.slices.level, own.slices?.level),
      tolerance: smaller('comparison.slices.tolerance', base.slices.tolerance, own.slices?.tolerance),
    },
    guards: {
      brier: guard('brier'),
      averagePrecision: guard('averagePrecision'),
      calibration: guard('calibration'),
    },
  };
}

/** What is asked of the data cannot be given up, and the floor alone says what is usual. */
function tightenData(
  base: Policy['data'],
  own: PolicyTightening['data'],
  { larger, smaller, loosened }: Ratchet,
): Pick<Policy, 'data'> {
  if (base === undefined) {
    if (own !== undefined) loosened.push('data: the floor has none');
    return {};
  }
  const { tolerance, weeks, minimumWeeks } = base.rowCounts;
  const mine = own?.rowCounts;
  for (const kind of base.expectations ?? []) {
    if (own?.expectations !== undefined && !own.expectations.includes(kind))
      loosened.push(`data.expectations: ${kind} is the floor's and missing here`);
  }
  const expectations = own?.expectations ?? base.expectations;
  // Where the floor says nothing a model may be strict by itself.
  const bound = (
    key: 'withdrawn' | 'labelCoverage' | 'unmatchedLabels' | 'earlyLabels' | 'replacedLabels' | 'leakageAuc',
    narrow: Bound,
  ): Partial<DataRule> => {
    const value = base[key] === undefined ? own?.[key] : narrow(`data.${key}`, base[key], own?.[key]);
    return value === undefined ? {} : { [key]: value };
  };
  return {
    data: {
      ...(expectations === undefined ? {} : { expectations }),
      ...bound('withdrawn', smaller),
      ...bound('labelCoverage', larger),
      ...bound('unmatchedLabels', smaller),
      ...bound('earlyLabels', smaller),
      ...bound('replacedLabels', smaller),
      ...bound('leakageAuc', smaller),
      rowCounts: {
        tolerance: smaller('data.rowCounts.tolerance', tolerance, mine?.tolerance),
        weeks,
        // Fewer weeks judge more days.
        minimumWeeks: smaller('data.rowCounts.minimumWeeks', minimumWeeks, mine?.minimumWeeks),
      },
    },
  };
}

/** Tighter is what tells people of more. How few rows are too few is arithmetic, and the floor's alone. */
function tightenDrift(
  base: Policy['drift'],
  own: PolicyTightening['drift'],
  { larger, smaller, loosened }: Ratchet,
): Pick<Policy, 'drift'> {
  if (base === undefined) {
    if (own !== undefined) loosened.push('drift: the floor has none');
    return {};
  }
  const stable = own?.stable ?? base.stable;
  for (const column of base.stable) {
    if (!stable.includes(column)) loosened.push(`drift.stable: ${column} is the floor's and missing here`);
  }
  const every = 'retrainAtMostEveryDays';
  return {
    drift: {
      stable,
      index: smaller('drift.index', base.index, own?.index),
      minimumRows: base.minimumRows,
      disagreement: smaller('drift.disagreement', base.disagreement, own?.disagreement),
      [every]: larger(`drift.${every}`, base[every], own?.[every]),
    },
  };
}

/** Tighter is what rolls an endpoint's release back sooner. How much proof that takes is the floor's alone. */
function tightenServing(
  base: Policy['serving'],
  own: PolicyTightening['serving'],
  { smaller, loosened }: Ratchet,
): Pick<Policy, 'serving'> {
  if (base === undefined) {
    if (own !== undefined) loosened.push('serving: the floor has none');
    return {};
  }
  const { errors, latency, health } = base;
  return {
    serving: {
      ...base,
      errors: { ...errors, rate: smaller('serving.errors.rate', errors.rate, own?.errors?.rate) },
      latency: {
        ...latency,
        factor: smaller('serving.latency.factor', latency.factor, own?.latency?.factor),
        share: smaller('serving.latency.share', latency.share, own?.latency?.share),
      },
      health: { failures: smaller('serving.health.failures', health.failures, own?.health?.failures) },
    },
  };
}

/** Tighter is what people are told sooner. How often what is stored is hashed, and how long it is retained, is the floor's alone. */
function tightenOperations(
  base: Policy['operations'],
  own: PolicyTightening['operations'],
  { smaller, loosened }: Ratchet,
): Pick<Policy, 'operations'> {
  if (base === undefined) {
    if (own !== undefined) loosened.push('operations: the floor has none');
    return {};
  }
  const less = (key: 'acknowledgeMinutes' | 'rootCauseHours'): number =>
    smaller(`operations.${key}`, base[key], own?.[key]);
  return {
    operations: {
      ...base,
      acknowledgeMinutes: less('acknowledgeMinutes'),
      rootCauseHours: less('rootCauseHours'),
    },
  };
}

/** Tighter is what rolls a release back sooner, and on less. */
function tightenProbation(
  path: string,
  base: ProbationRule,
  own: NonNullable<TransitionTightening['probation']>,
  { larger, smaller }: Pick<Ratchet, 'larger' | 'smaller'>,
): ProbationRule {
  const fast = (key: keyof ProbationRule['fast']): number =>
    smaller(`${path}.fast.${key}`, base.fast[key], own.fast?.[key]);
  return {
    days: smaller(`${path}.days`, base.days, own.days),
    minimumDays: larger(`${path}.minimumDays`, base.minimumDays, own.minimumDays),
    fast: {
      minimumLabels: fast('minimumLabels'),
      hours: fast('hours'),
      loss: fast('loss'),
      provenLoss: fast('provenLoss'),
    },
  };
}

type NumberOf<Rule> = { [Key in keyof Rule]-?: Rule[Key] extends number ? Key : never }[keyof Rule];

/** The floor tightened by a model's own rules. @throws GatehouseError `POLICY_LOOSENED` naming both values. */
export function tighten(model: string, floor: PolicyFloor, own: PolicyTightening): Policy {
  const loosened: string[] = [];
  const larger: Bound = (path, base, mine) => {
    if (mine !== undefined && !(mine >= base)) loosened.push(`${path}: ${mine} is looser than the floor's ${base}`);
    return mine ?? base;
  };
  const smaller: Bound = (path, base, mine) => {
    if (mine !== undefined && !(mine <= base)) loosened.push(`${path}: ${mine} is looser than the floor's ${base}`);
    return mine ?? base;
  };
  // What the floor does not allow, no model may; what it does, a model may narrow, or give up by null.
  const allowed: Allowed = (path, base, mine, narrow) => {
    if (base === undefined && mine !== undefined && mine !== null) loosened.push(`${path}: the floor has none`);
    return base === undefined || mine === null ? {} : narrow(base, mine ?? base);
  };
  const people = (path: string, base: ApprovalRule[], mine: readonly ApprovalRule[] | undefined): ApprovalRule[] => {
    for (const { role, count } of base) {
      const asked = mine?.find((approval) => approval.role === role)?.count ?? 0;
      if (mine !== undefined && asked < count)
        loosened.push(`${path}: ${asked} of ${role} is fewer than the floor's ${count}`);
    }
    return [...(mine ?? base)];
  };
  const byLevel = (
    path: string,
    base: TransitionRule['approvalsByLevel'],
    mine: TransitionRule['approvalsByLevel'],
  ): Pick<TransitionRule, 'approvalsByLevel'> => {
    const levels = (['major', 'minor', 'patch'] as const).filter(
      (level) => (base?.[level] ?? mine?.[level]) !== undefined,
    );
    const asked = levels.map(
      (level) => [level, people(`${path}.${level}`, base?.[level] ?? [], mine?.[level])] as const,
    );
    return levels.length === 0 ? {} : { approvalsByLevel: Object.fromEntries(asked) };
  };
  const comparison = tightenComparison(floor.comparison, own.comparison ?? {}, { larger, smaller, allowed, loosened });
  const transition = (path: string, base: TransitionRule, mine: TransitionTightening): TransitionRule => {
    for (const gate of base.gates) {
      if (mine.gates !== undefined && !mine.gates.includes(gate))
        loosened.push(`${path}.gates: ${gate} is the floor's and missing here`);
    }
    if (mine.opensOnOffer === true && !base.opensOnOffer)
      loosened.push(`${path}.opensOnOffer: true is looser than the floor's false`);
    return {
      gates: mine.gates ?? base.gates,
      approvals: people(`${path}.approvals`, base.approvals, mine.approvals),
      ...byLevel(`${path}.approvalsByLevel`, base.approvalsByLevel, mine.approvalsByLevel),
      opensOnOffer: mine.opensOnOffer ?? base.opensOnOffer,
      evidenceValidHours: smaller(`${path}.evidenceValidHours`, base.evidenceValidHours, mine.evidenceValidHours),
      approvalHours: smaller(`${path}.approvalHours`, base.approvalHours, mine.approvalHours),
      ...tightenCanary(`${path}.canary`, base.canary, mine.canary, { larger, smaller, loosened }, people),
      ...allowed(`${path}.probation`, base.probation, mine.probation, (probation, own) => ({
        probation: tightenProbation(`${path}.probation`, probation, own, { larger, smaller }),
      })),
    };
  };
  const policy: Policy = {
    formatVersion: 1,
    model,
    activation: people('activation', floor.activation, own.activation),
    comparison,
    ...tightenData(floor.data, own.data, { larger, smaller, allowed, loosened }),
    ...tightenDrift(floor.drift, own.drift, { larger, smaller, allowed, loosened }),
    ...tightenServing(floor.serving, own.serving, { larger, smaller, allowed, loosened }),
    ...tightenOperations(floor.operations, own.operations, { larger, smaller, allowed, loosened }),
    ...tightenAttestations(floor.attestations, own.attestations, { larger, smaller, loosened }),
    ...(own.costs === undefined ? {} : { costs: own.costs }),
    transitions: {
      initial: floor.transitions.initial,
      staging: transition('transitions.staging', floor.transitions.staging, own.transitions?.staging ?? {}),
      prod: transition('transitions.prod', floor.transitions.prod, own.transitions?.prod ?? {}),
      ...allowed('transitions.hotfix', floor.transitions.hotfix, own.transitions?.hotfix, (base, mine) => ({
        hotfix: transition('transitions.hotfix', base, mine),
      })),
    },
  };
  if (loosened.length > 0) {
    throw new GatehouseError(
      'POLICY_LOOSENED',
      `models/${model}/policy.ts may only tighten governance/policy.ts: ${loosened.join('; ')}`,
      {
        model,
        loosened,
      },
    );
  }
  return policy;
}
