import type { Invariant } from '../invariant.ts';
import { replay, replayDifferences } from '../replay.ts';

/** What stands in the ledger is what the chain says was put there, and nothing else. */
export const ledgerReplays: Invariant = {
  id: 'ledger-replays',
  meaning:
    'each record’s changes hash to what it says, and replaying them rebuilds every governed item: nothing else stands there',
  check({ standing, unreadable }, records) {
    const torn: string[] = [];
    const whole = records.flatMap(({ record, hash, changed }) => {
      if (changed !== undefined) return [{ ...record, hash, changed }];
      torn.push(`record ${record.seq}: its changes do not hash to ${record.changes}`);
      return [];
    });
    return [...torn, ...unreadable, ...replayDifferences(replay(whole), standing)];
  },
};
