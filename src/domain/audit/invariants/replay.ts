import { digestOf } from '../../canonical/digest.ts';
import type { Invariant } from '../invariant.ts';
import { replay, replayDifferences } from '../replay.ts';

/** What stands in the ledger is what the chain says was put there, and nothing else. */
export const ledgerReplays: Invariant = {
  id: 'ledger-replays',
  meaning:
    'each record’s changes hash to what it says, and replaying them rebuilds every governed item: nothing else stands there',
  check({ stored, standing, unreadable }, records) {
    const changes = new Map(stored.map((item) => [item.seq, item.changes]));
    const torn: string[] = [];
    const whole = records.flatMap(({ record, hash }) => {
      const text = changes.get(record.seq) ?? '';
      if (digestOf(text) === record.changes) return [{ ...record, hash, changes: text }];
      torn.push(`record ${record.seq}: its changes do not hash to ${record.changes}`);
      return [];
    });
    return [...torn, ...unreadable, ...replayDifferences(replay(whole), standing)];
  },
};
