import { withoutKey } from '../../ledger/item.ts';
import { authorityOf } from '../../ledger/keys.ts';
import { Pointer, whyNotDivided, whyNotFollowing } from '../../promotion/pointer.ts';
import type { Invariant, ReadRecord } from '../invariant.ts';

/** Every request has a release that answers it, whichever pointer is read. */
export const trafficDivided: Invariant = {
  id: 'traffic-divided',
  meaning:
    'each pointer divides all of the traffic among distinct releases, of which the served one is one: those that records put, and the one that stands',
  check({ pointer }, records) {
    const all = [
      ...pointersOf(records).map(({ seq, pointer: each }) => ({ of: `record ${seq}`, pointer: each })),
      { of: 'the pointer', pointer },
    ];
    return all.flatMap((each) => {
      const why = typeof each.pointer === 'object' ? whyNotDivided(each.pointer) : undefined;
      return why === undefined ? [] : [`${each.of}: ${why}`];
    });
  },
};

/** What was published or judged under an epoch is of one champion. */
export const epochsFollow: Invariant = {
  id: 'epochs-follow',
  meaning:
    'each pointer follows the one before it: its number grows by one, its epoch exactly where the served release is another one, its plan of traffic exactly where the arms are',
  check(_, records) {
    const put = pointersOf(records);
    return put.flatMap(({ seq, pointer }, index) => {
      if (typeof pointer === 'string') return [`record ${seq}: its pointer cannot be read: ${pointer}`];
      const before = put[index - 1];
      const previous = before?.pointer;
      // What follows changes that are torn, or a pointer that cannot be read, is compared with nothing.
      const isUnknown = before !== undefined && previous === undefined;
      if (pointer === undefined || isUnknown || typeof previous === 'string') return [];
      const why = whyNotFollowing(previous, pointer);
      return why === undefined ? [] : [`record ${seq}: ${why}`];
    });
  },
};

/** A record and the pointer that it put: why it cannot be read, or undefined where the record's changes are torn. */
interface PutPointer {
  readonly seq: number;
  readonly pointer: Pointer | string | undefined;
}

function pointersOf(records: readonly ReadRecord[]): readonly PutPointer[] {
  return records.flatMap(({ record: { seq }, changed }): readonly PutPointer[] => {
    if (changed === undefined) return [{ seq, pointer: undefined }];
    return changed.filter(({ pk }) => authorityOf(pk) === 'POINTER').map((item) => ({ seq, pointer: read(item) }));
  });
}

function read(item: Parameters<typeof withoutKey>[1]): Pointer | string {
  try {
    return withoutKey(Pointer, item);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
