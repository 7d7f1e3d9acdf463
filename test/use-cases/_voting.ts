import { memoryDirectory } from '#adapters/memory/people.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { readPeer } from '#use-cases/intake/read-peer.ts';
import { type Environment, hours, MODEL, publishRecords } from './_environments.ts';
import type { scene } from './_scene.ts';

/** People who vote, in the roles that the policy names and in others. */
export const directory = memoryDirectory({
  pat: ['platform'],
  pia: ['platform'],
  eve: ['risk'],
  both: ['platform', 'risk'],
  eng: ['ml-engineer'],
  nobody: [],
});

/** An environment hears what control has recorded; the time passes in which a repetition is the same vote. */
export async function hearsControl(
  { clock, control }: Pick<Awaited<ReturnType<typeof scene>>, 'clock' | 'control'>,
  into: Environment,
): Promise<void> {
  clock.at += hours(0.1);
  await publishRecords(control, MODEL);
  await readPeer(into, 'control', MODEL, followPeer(into));
}
