import type { KeyState } from '#domain/rollback-readiness/keys.ts';
import type { Keys } from '#ports/keys.ts';

/** Keys in memory, by their aliases; `states` is open, and whatever is not in it is missing. */
export function memoryKeys(
  states: Readonly<Record<string, KeyState>> = {},
): Keys & { readonly states: Map<string, KeyState> } {
  const known = new Map(Object.entries(states));
  return { states: known, describe: (alias) => Promise.resolve(known.get(alias) ?? { kind: 'missing' }) };
}
