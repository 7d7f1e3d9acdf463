import { ExpectedRun, Heartbeat, SupervisionRound } from '#domain/supervision/expected-run.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find } from './items.ts';

/** When the supervisor of an environment last looked, and at what. */
export async function findRound(ledger: ReadableLedger, environment: string): Promise<SupervisionRound | undefined> {
  return find(ledger, keys.supervision(environment), SupervisionRound);
}

/** What is expected of the schedules of a model or an environment, and their heartbeats, by their names. */
export async function readExpectedRuns(
  ledger: ReadableLedger,
  of: string,
): Promise<{
  readonly expected: ReadonlyMap<string, ExpectedRun>;
  readonly heartbeats: ReadonlyMap<string, string>;
}> {
  const items = await ledger.query(keys.scheduled(of));
  const named = <T>(prefix: string, read: (item: (typeof items)[number]) => T): ReadonlyMap<string, T> =>
    new Map(items.filter(({ sk }) => sk.startsWith(prefix)).map((item) => [item.sk.slice(prefix.length), read(item)]));
  return {
    expected: named('expected ', (item) => withoutKey(ExpectedRun, item)),
    heartbeats: named('heartbeat ', (item) => withoutKey(Heartbeat, item).at),
  };
}
