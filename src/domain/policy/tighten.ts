import { GatehouseError } from '../error.ts';
import type { ComparisonRule, Policy, PolicyFloor, TransitionRule } from './policy.ts';

/** What a model's policy may say: any part of the floor's rules, each at least as tight. */
export interface PolicyTightening {
  readonly comparison?: Tightening<ComparisonRule, 'provisional'>;
  readonly transitions?: {
    readonly staging?: TransitionTightening;
    readonly prod?: TransitionTightening;
    readonly hotfix?: TransitionTightening | null;
  };
}

/** Any part of a rule; what the floor allows may be given up by null. */
type Tightening<Rule, Given extends keyof Rule> = Partial<Omit<Rule, Given>> & {
  readonly [G in Given]?: NonNullable<Rule[G]> | null;
};

type TransitionTightening = Tightening<TransitionRule, 'probation'>;

/** The floor tightened by a model's own rules. @throws GatehouseError `POLICY_LOOSENED` naming both values. */
export function tighten(model: string, floor: PolicyFloor, own: PolicyTightening): Policy {
  const loosened: string[] = [];
  const larger = (path: string, base: number, mine: number | undefined): number => {
    if (mine !== undefined && !(mine >= base)) loosened.push(`${path}: ${mine} is looser than the floor's ${base}`);
    return mine ?? base;
  };
  const smaller = (path: string, base: number, mine: number | undefined): number => {
    if (mine !== undefined && !(mine <= base)) loosened.push(`${path}: ${mine} is looser than the floor's ${base}`);
    return mine ?? base;
  };
  // What the floor does not allow, no model may; what it does, a model may narrow, or give up by null.
  const allowed = <T, M, O extends object>(
    path: string,
    base: T | undefined,
    mine: M | null | undefined,
    narrow: (base: T, mine: T | M) => O,
  ): Partial<O> => {
    if (base === undefined && mine !== undefined && mine !== null) loosened.push(`${path}: the floor has none`);
    return base === undefined || mine === null ? {} : narrow(base, mine ?? base);
  };
  const comparison: ComparisonRule = {
    minimumImprovement: larger(
      'comparison.minimumImprovement',
      floor.comparison.minimumImprovement,
      own.comparison?.minimumImprovement,
    ),
    confidence: larger('comparison.confidence', floor.comparison.confidence, own.comparison?.confidence),
    minimumDays: larger('comparison.minimumDays', floor.comparison.minimumDays, own.comparison?.minimumDays),
    minimumRows: larger('comparison.minimumRows', floor.comparison.minimumRows, own.comparison?.minimumRows),
    minimumSkill: larger('comparison.minimumSkill', floor.comparison.minimumSkill, own.comparison?.minimumSkill),
    ...allowed('comparison.provisional', floor.comparison.provisional, own.comparison?.provisional, (base, mine) => ({
      provisional: {
        minimumImprovement: larger(
          'comparison.provisional.minimumImprovement',
          base.minimumImprovement,
          mine.minimumImprovement,
        ),
        tolerance: smaller('comparison.provisional.tolerance', base.tolerance, mine.tolerance),
      },
    })),
  };
  const transition = (path: string, base: TransitionRule, mine: TransitionTightening): TransitionRule => {
    for (const gate of base.gates) {
      if (mine.gates !== undefined && !mine.gates.includes(gate))
        loosened.push(`${path}.gates: ${gate} is the floor's and missing here`);
    }
    for (const rule of base.approvals) {
      const count = mine.approvals?.find((approval) => approval.role === rule.role)?.count ?? 0;
      if (mine.approvals !== undefined && count < rule.count) {
        loosened.push(`${path}.approvals: ${count} of ${rule.role} is fewer than the floor's ${rule.count}`);
      }
    }
    if (mine.opensOnOffer === true && !base.opensOnOffer)
      loosened.push(`${path}.opensOnOffer: true is looser than the floor's false`);
    return {
      gates: mine.gates ?? base.gates,
      approvals: mine.approvals ?? base.approvals,
      opensOnOffer: mine.opensOnOffer ?? base.opensOnOffer,
      evidenceValidHours: smaller(`${path}.evidenceValidHours`, base.evidenceValidHours, mine.evidenceValidHours),
      approvalHours: smaller(`${path}.approvalHours`, base.approvalHours, mine.approvalHours),
      ...allowed(`${path}.probation`, base.probation, mine.probation, ({ days }, shorter) => ({
        probation: { days: smaller(`${path}.probation.days`, days, shorter.days) },
      })),
    };
  };
  const policy: Policy = {
    formatVersion: 1,
    model,
    comparison,
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
