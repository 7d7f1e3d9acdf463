// fsck looks at each pointer that a chain has written, and at the one that stands.
import { expect, it } from 'vitest';
import { AuditRecord } from '#domain/audit/chain.ts';
import { changedItems } from '#domain/audit/changes.ts';
import type { ReadRecord } from '#domain/audit/invariant.ts';
import { checkInvariants, INVARIANTS } from '#domain/audit/invariants.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { authorityOf } from '#domain/ledger/keys.ts';
import { Pointer } from '#domain/promotion/pointer.ts';
import { soundState } from './_state.ts';

const state = soundState();
const records: readonly ReadRecord[] = state.stored.map(({ document, changes }) => ({
  record: AuditRecord.parse(JSON.parse(document)),
  hash: digestOf(document),
  changed: changedItems(changes),
}));

/** What an invariant finds where the pointer that a record wrote, counted among those that did, is another one. */
function found(id: string, at: number, change: (pointer: Pointer) => object): readonly string[] {
  let count = 0;
  const edited = records.map((each) => ({
    ...each,
    changed: each.changed?.map((item) => {
      if (authorityOf(item.pk) !== 'POINTER') return item;
      count += 1;
      const pointer = withoutKey(Pointer, item);
      return count === at ? { ...item, ...change(pointer) } : item;
    }),
  }));
  return INVARIANTS.find((each) => each.id === id)?.check(state, edited) ?? ['no such invariant'];
}

it('finds traffic that is divided among arms that cannot be, wherever a pointer says so', () => {
  const half = ({ traffic, current }: Pointer) => ({
    traffic: { ...traffic, arms: [{ arm: 'champion' as const, release: current, share: 0.5 }] },
  });
  for (const at of [1, 2, 3, 4])
    expect(found('traffic-divided', at, half)).toEqual([
      expect.stringMatching(/^record \d+: the shares sum up to 0\.5$/),
    ]);
  expect(found('traffic-divided', 0, half)).toEqual([]);
  const pointer = state.pointer && { ...state.pointer, ...half(state.pointer) };
  const results = checkInvariants({ ...state, pointer });
  expect(results.find(({ invariant }) => invariant === 'traffic-divided')?.found).toEqual([
    'the pointer: the shares sum up to 0.5',
  ]);
});

it.each([
  ['an epoch that the champion did not begin', ({ epoch }: Pointer) => ({ epoch: epoch + 1 }), 'epoch is'],
  [
    'a plan of traffic that nothing began',
    ({ traffic }: Pointer) => ({ traffic: { ...traffic, planSeq: 9 } }),
    'planSeq is',
  ],
  ['a number that is left out', ({ seq }: Pointer) => ({ seq: seq + 1 }), 'seq is'],
  [
    'an epoch that goes on, although the champion is another',
    ({ epoch }: Pointer) => ({ epoch: epoch - 1 }),
    'epoch is',
  ],
])('finds %s', (_, change, text) => {
  for (const at of [2, 3, 4]) expect(found('epochs-follow', at, change).join()).toContain(text);
  expect(found('epochs-follow', 0, change)).toEqual([]);
});

it('finds that the first epoch is not the first, and a pointer that cannot be read', () => {
  expect(found('epochs-follow', 1, () => ({ epoch: 2 }))[0]).toContain('epoch is 2, not 1');
  expect(found('epochs-follow', 2, () => ({ epoch: 'two' }))).toEqual([expect.stringContaining('cannot be read')]);
});

it('leaves a record whose changes are torn to the replay', () => {
  const torn = records.map((each) => ({ ...each, changed: each.record.seq % 2 === 0 ? undefined : each.changed }));
  for (const id of ['epochs-follow', 'traffic-divided'])
    expect(INVARIANTS.find((each) => each.id === id)?.check(state, torn)).toEqual([]);
});
