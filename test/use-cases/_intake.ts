import { digestOf } from '#domain/canonical/digest.ts';
import { followPeer } from '#use-cases/intake/follow-peer.ts';
import { readPeer } from '#use-cases/intake/read-peer.ts';
import { type Environment, MODEL, world, publishRecords } from './_environments.ts';

export const RELEASE = digestOf('release');

export let all: ReturnType<typeof world>;

export let dev: Environment;

export let staging: Environment;

export let prod: Environment;

export let control: Environment;

/** One environment publishes what it says, and another reads it: twice, as announcements come. */
export async function hears(own: Environment, peer: Environment): Promise<void> {
  await publishRecords(peer, MODEL);
  for (let time = 0; time < 2; time += 1) await readPeer(own, peer.environment, MODEL, followPeer(own));
}

/** Four environments whose chains are read by each other. */
export function begin(): void {
  all = world();
  [dev, staging, prod, control] = [
    all.environment('dev'),
    all.environment('staging'),
    all.environment('prod'),
    all.environment('control'),
  ];
}
