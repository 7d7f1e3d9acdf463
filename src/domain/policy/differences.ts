import type { Policy } from './policy.ts';
import { tighten } from './tighten.ts';
import { GatehouseError } from '../error.ts';

/** The values of a policy by their paths, such as `comparison.minimumDays`. */
type Rules = ReadonlyMap<string, string>;

/** What two policies say differently. */
export interface Difference {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly direction: 'looser' | 'may be looser' | 'not looser';
}

/** Each value of a policy under its path; a list is one value. */
export function rulesOf(policy: unknown, path = ''): Rules {
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy)) return new Map([[path, shown(policy)]]);
  return new Map(
    Object.entries(policy).flatMap(([name, value]) => [...rulesOf(value, path === '' ? name : `${path}.${name}`)]),
  );
}

function shown(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  const each = (one: unknown): string => {
    if (typeof one !== 'object' || one === null) return String(one);
    if ('role' in one && 'count' in one) return `${String(one.count)} of ${String(one.role)}`;
    const fields = Object.entries(one).map(
      ([name, of]) => `${name} ${Array.isArray(of) ? of.join(' + ') : String(of)}`,
    );
    return `(${fields.join(', ')})`;
  };
  return value.map(each).join(', ') || 'none';
}

/** What changes between two policies of a model, and whether what is to come could stand above what was as its floor. */
export function differencesOf(before: Policy, after: Policy): readonly Difference[] {
  const [was, is] = [rulesOf(before), rulesOf(after)];
  const looser = loosenedPaths(before, after);
  const paths = new Set([...was.keys(), ...is.keys()]);
  return [...paths].flatMap((path): Difference[] => {
    if (was.get(path) === is.get(path)) return [];
    const isLooser = looser.some((each) => path === each || path.startsWith(`${each}.`));
    const direction = isLooser ? 'looser' : isFloorAlone(path) ? 'may be looser' : 'not looser';
    return [{ path, before: was.get(path) ?? null, after: is.get(path) ?? null, direction }];
  });
}

/** Of what no model has a say in, nothing tells the two directions apart. */
const FLOOR_ALONE = [
  /^transitions\.initial\./,
  /^data\.rowCounts\.weeks$/,
  /^drift\.minimumRows$/,
  /^operations\.(?:rehashDays|retentionDays)$/,
  /^attestations\.(?:producers|people|load\.(?:seconds|connections|baseline)|securityScan\.waivers)$/,
  /^serving\.(?:confidence|hoursBetweenRollbacks|.+\.minutes|.+\.minimumCount)$/,
];

function isFloorAlone(path: string): boolean {
  return FLOOR_ALONE.some((each) => each.test(path));
}

function loosenedPaths(before: Policy, after: Policy): readonly string[] {
  try {
    const { activation, comparison, data, drift, serving, operations, attestations, transitions } = after;
    const optional = {
      ...(data === undefined ? {} : { data }),
      ...(drift === undefined ? {} : { drift }),
      ...(serving === undefined ? {} : { serving }),
      ...(operations === undefined ? {} : { operations }),
      ...(attestations === undefined ? {} : { attestations }),
    };
    tighten(before.model, before, { activation, comparison, transitions, ...optional });
    return [];
  } catch (error) {
    if (!(error instanceof GatehouseError) || error.code !== 'POLICY_LOOSENED') throw error;
    const { loosened } = error.details as { readonly loosened: readonly string[] };
    return loosened.map((each) => each.slice(0, each.indexOf(':')));
  }
}
