import { Digest } from '#domain/canonical/digest.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { isActive, Quarantine, QuarantineApproval } from '#domain/promotion/quarantine.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find, list, startingWith } from './items.ts';

/** The releases that are quarantined in an environment. */
export async function readQuarantined(ledger: ReadableLedger, model: string): Promise<readonly Digest[]> {
  return (await ledger.query(keys.quarantined(model))).filter(isActive).map((item) => Digest.parse(item['release']));
}

/** Whether a release is quarantined in an environment. */
export async function isQuarantined(ledger: ReadableLedger, model: string, release: Digest): Promise<boolean> {
  return isActive(await ledger.get(keys.quarantine(model, release)));
}

/** The newest quarantine of a release, lifted or not, where it was ever rolled back. */
export async function findQuarantine(
  ledger: ReadableLedger,
  model: string,
  release: Digest,
): Promise<Quarantine | undefined> {
  return find(ledger, keys.quarantine(model, release), Quarantine);
}

/** The quarantines that stand in an environment. */
export async function readQuarantines(ledger: ReadableLedger, model: string): Promise<readonly Quarantine[]> {
  return (await ledger.query(keys.quarantined(model))).filter(isActive).map((item) => withoutKey(Quarantine, item));
}

/** The votes to lift a quarantine, those that have expired among them. */
export async function readQuarantineVotes(
  ledger: ReadableLedger,
  model: string,
  { release, rollback }: Pick<Quarantine, 'release' | 'rollback'>,
): Promise<readonly QuarantineApproval[]> {
  const { pk, sk } = keys.quarantineApproval(model, release, rollback, '');
  const votes = await list(ledger, pk, QuarantineApproval, startingWith(sk));
  return votes.filter((vote) => vote.release === release && vote.rollback === rollback);
}
