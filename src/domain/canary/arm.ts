import { hash } from 'node:crypto';
import type { Arm } from './counts.ts';

/** Bits of the hash that are used: as many as a number holds exactly. */
const HEX_DIGITS = 13;

/** Where in [0, 1) a key lies, by the SHA-256 of salt and key: uniform over keys, and independent of where another salt puts it. */
function placeOf(salt: string, key: string): number {
  return Number.parseInt(hash('sha256', `${salt}\n${key}`).slice(0, HEX_DIGITS), 16) / 16 ** HEX_DIGITS;
}

/**
 * The arm that answers an event. The key is the event's id, so that a retry gets the same arm, or its entity where the policy says so; the salt
 * is pinned with the traffic plan, and another canary has another one (Kohavi, Tang & Xu 2020, Trustworthy online controlled experiments, chapter
 * 21, on assignment by hash). Whose place is above the shares of candidate and control arm is the champion's.
 * @param arms an arm that is left out has no share
 */
export function armAmong(
  key: string,
  salt: string,
  arms: readonly { readonly arm: Arm; readonly share: number }[],
): Arm {
  const place = placeOf(salt, key);
  const shareOf = (name: Arm): number => arms.find(({ arm }) => arm === name)?.share ?? 0;
  // The candidate's places come first: they stay its own while its share grows.
  if (place < shareOf('candidate')) return 'candidate';
  return place < shareOf('candidate') + shareOf('control') ? 'control' : 'champion';
}

/**
 * The arm where candidate and control arm have equal shares.
 * @param share of the candidate, and of the control arm; at most 0.5
 */
export function armOf(key: string, { salt, share }: { readonly salt: string; readonly share: number }): Arm {
  return armAmong(key, salt, [
    { arm: 'candidate', share },
    { arm: 'control', share },
  ]);
}

/**
 * The salt by which entities are assigned so that the candidate's and the control arm's shares of the *requests* are nearest to the planned ones:
 * a few entities may send most of them, and shares of entities say little about those. The first of equally good salts.
 * @param requests by entity, from the request log
 * @param salts at least one
 */
export function saltFor(
  requests: ReadonlyMap<string, number>,
  share: number,
  salts: readonly [string, ...string[]],
): { readonly salt: string; readonly candidate: number; readonly control: number } {
  const total = [...requests.values()].reduce((sum, count) => sum + count, 0);
  const tried = salts.map((salt) => {
    const counts = { candidate: 0, control: 0, champion: 0 };
    for (const [entity, count] of requests) counts[armOf(entity, { salt, share })] += count;
    const [candidate, control] = [counts.candidate, counts.control].map((count) =>
      total === 0 ? 0 : count / total,
    ) as [number, number];
    return { salt, candidate, control, miss: Math.max(Math.abs(candidate - share), Math.abs(control - share)) };
  });
  const { salt, candidate, control } = tried.reduce((best, each) => (each.miss < best.miss ? each : best));
  return { salt, candidate, control };
}
