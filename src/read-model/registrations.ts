import { Digest } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { Registration, Released } from '#domain/release/registration.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find, list, newestFirst } from './items.ts';

/** The registration of a release, where there is one. */
export async function findRegistration(
  ledger: ReadableLedger,
  model: string,
  release: string,
): Promise<Registration | undefined> {
  return find(ledger, keys.registration(model, release), Registration);
}

/** The registrations of a model, newest first. */
export async function readRegistrations(ledger: ReadableLedger, model: string): Promise<readonly Registration[]> {
  return newestFirst(await list(ledger, keys.registrations(model), Registration), ({ at }) => at);
}

/** The release that has a version. */
export async function findVersion(ledger: ReadableLedger, model: string, version: string): Promise<Digest | undefined> {
  const item = await ledger.get(keys.version(model, version));
  return item === undefined ? undefined : Digest.parse(item['release']);
}

/** What prod serves, as dev has read in its signed chain. */
export async function findReleased(ledger: ReadableLedger, model: string): Promise<Released | undefined> {
  return find(ledger, keys.released(model), Released);
}
