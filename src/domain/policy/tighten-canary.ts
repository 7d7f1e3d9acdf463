import type { ApprovalRule } from './approval-rule.ts';
import type { CanaryRule } from './canary.ts';
import type { TransitionRule } from './policy.ts';
import type { Ratchet } from './ratchet.ts';
import type { TransitionTightening } from './tightening.ts';

type People = (path: string, base: ApprovalRule[], mine: readonly ApprovalRule[] | undefined) => ApprovalRule[];
type Own = TransitionTightening['canary'];

/** Tighter is what exposes fewer requests, watches longer and asks for more proof. What chooses the arm, and the deadline, are the floor's alone. */
export function tightenCanary(
  path: string,
  base: TransitionRule['canary'],
  own: Own,
  ratchet: Pick<Ratchet, 'larger' | 'smaller' | 'loosened'>,
  people: People,
): Pick<TransitionRule, 'canary'> {
  const { larger, smaller, loosened } = ratchet;
  if (base === undefined) {
    if (own !== undefined) loosened.push(`${path}: the floor has none`);
    return {};
  }
  const less = (key: 'share' | 'toleratedErrorRate' | 'armMs' | 'staleMinutes'): number =>
    smaller(`${path}.${key}`, base[key], own?.[key]);
  const more = (key: 'hours' | 'power'): number => larger(`${path}.${key}`, base[key], own?.[key]);
  const hours = more('hours');
  return {
    canary: {
      share: less('share'),
      hours,
      deadlineHours: Math.max(base.deadlineHours, hours),
      toleratedErrorRate: less('toleratedErrorRate'),
      noErrors: stays(`${path}.noErrors`, base.noErrors, own?.noErrors, loosened),
      assignment: base.assignment,
      armMs: less('armMs'),
      closeMinutes: base.closeMinutes,
      staleMinutes: less('staleMinutes'),
      power: more('power'),
      ...tightenShadow(`${path}.shadow`, base.shadow, own?.shadow, ratchet),
      ...(base.plan === undefined ? {} : { plan: base.plan }),
      ...(base.ab === undefined ? {} : { ab: base.ab }),
      ...tightenShadowOnly(`${path}.shadowOnly`, base.shadowOnly, own?.shadowOnly, loosened, people),
    },
  };
}

function tightenShadow(
  path: string,
  base: CanaryRule['shadow'],
  own: NonNullable<Own>['shadow'],
  { larger, loosened }: Pick<Ratchet, 'larger' | 'loosened'>,
): Pick<CanaryRule, 'shadow'> {
  if (base === undefined) {
    if (own !== undefined) loosened.push(`${path}: the floor has none`);
    return {};
  }
  return {
    shadow: {
      minimumPairs: larger(`${path}.minimumPairs`, base.minimumPairs, own?.minimumPairs),
      decisions: stays(`${path}.decisions`, base.decisions, own?.decisions, loosened),
    },
  };
}

function tightenShadowOnly(
  path: string,
  base: CanaryRule['shadowOnly'],
  own: CanaryRule['shadowOnly'],
  loosened: string[],
  people: People,
): Pick<CanaryRule, 'shadowOnly'> {
  if (base !== undefined) return { shadowOnly: people(path, base, own) };
  if (own !== undefined) loosened.push(`${path}: the floor has none`);
  return {};
}

/** What the floor asks for, a model asks for as well. */
function stays(path: string, floor: boolean, mine: boolean | undefined, loosened: string[]): boolean {
  if (mine === false && floor) loosened.push(`${path}: false is looser than the floor's true`);
  return mine ?? floor;
}
