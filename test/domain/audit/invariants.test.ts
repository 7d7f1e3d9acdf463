import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LedgerState } from '#domain/audit/invariant.ts';
import { checkInvariants, INVARIANTS } from '#domain/audit/invariants.ts';
import { governedState } from '#domain/audit/standing.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { type Item, keyText } from '#domain/ledger/item.ts';
import { type Lapse, soundState, START } from './_state.ts';
import { violated, changed } from './_violations.ts';

const lapses: [Lapse, string][] = [
  ['no request', 'request-verified'],
  ['withdrawn upstream', 'released-upstream'],
  ['policy replaced', 'policy-in-force'],
  ['never opened', 'no record opened it'],
];

/** What fsck says of the items that stand, with some of them replaced. */
const replays = (state: LedgerState, standing: readonly Item[]): readonly string[] =>
  // To verify what was published, which these items are not, would be most of the time.
  checkInvariants({ ...state, ...governedState(standing), published: undefined }).find(
    ({ invariant }) => invariant === 'ledger-replays',
  )?.found ?? [];

describe('the invariants', () => {
  it('hold of a sound environment, and of one where nothing has happened', () => {
    expect(checkInvariants(soundState()).flatMap(({ found }) => found)).toEqual([]);
    const state = soundState();
    const empty: LedgerState = {
      ...state,
      stored: [],
      head: undefined,
      ...governedState([]),
      predictions: [],
      published: undefined,
    };
    expect(checkInvariants(empty).flatMap(({ found }) => found)).toEqual([]);
    expect(checkInvariants(empty)).toHaveLength(INVARIANTS.length);
  });

  it.each(lapses)('find a commit on grounds that did not stand: %s', (lapse, named) => {
    const results = checkInvariants(soundState(lapse));
    const found = results.find(({ invariant }) => invariant === 'promotions-grounded')?.found ?? [];
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(named);
    // Nothing else of the state says so.
    expect(results.filter((each) => each.found.length > 0).map(({ invariant }) => invariant)).toEqual(
      // Nobody voted for the policy that replaced the one that was pinned.
      lapse === 'policy replaced' ? ['promotions-grounded', 'policies-voted'] : ['promotions-grounded'],
    );
  });

  it('find any single item that was edited, added or removed by other hands, and name its key', () => {
    const state = soundState();
    const { standing } = state;
    expect(new Set(standing.map(({ pk }) => pk.split('#')[0])).size).toBeGreaterThan(6);
    for (const [index, item] of standing.entries()) {
      for (const name of Object.keys(item).filter((each) => each !== 'pk' && each !== 'sk')) {
        const edited = changed(standing, index, (each) => ({ ...each, [name]: 'other' }));
        expect(replays(state, edited), name).toContainEqual(
          expect.stringContaining(`${keyText(item)}: ${name} is "other"`),
        );
      }
      const removed = standing.filter((each) => each !== item);
      expect(replays(state, removed)).toEqual([expect.stringMatching(/: record \d+ put it there, and it is gone$/)]);
      const added = [...standing, { ...item, sk: `${item.sk}x` }];
      expect(replays(state, added)).toEqual([`${keyText(item)}x: no record put it there`]);
    }
  });

  it('find the changes of a record that were rewritten to fit an edited item', () => {
    const state = soundState();
    const edit = (text: string): string => text.replaceAll('"role":"platform"', '"role":"risk"');
    const stored = state.stored.map((item) => ({ ...item, changes: edit(item.changes) }));
    const found = replays(
      { ...state, stored },
      state.standing.map((item) => JSON.parse(edit(JSON.stringify(item))) as Item),
    );
    expect(found).toContainEqual(expect.stringMatching(/^record \d+: its changes do not hash to sha256:/));
  });

  it('let a run at work repair predictions, and the publisher come after', () => {
    const state = soundState();
    const predictions = changed(state.predictions, 0, (manifest) => ({ ...manifest, release: digestOf('1.0.1') }));
    expect(violated({ ...state, predictions, isReconciling: true })).toEqual([]);
    expect(
      violated({ ...state, now: START, published: state.published && { ...state.published, records: [] } }),
    ).toEqual([]);
  });

  it('find any single changed character of the chain', () => {
    // What was published says nothing of the chain that is stored.
    const state = { ...soundState(), published: undefined };
    expect(violated(state)).not.toContain('chain-unbroken');
    fc.assert(
      fc.property(
        fc.nat({ max: state.stored.length - 1 }),
        fc.nat(),
        fc.constantFrom('0', 'a', ' ', '}'),
        (seq, position, character) => {
          const { document = '' } = state.stored[seq] ?? {};
          const at = position % document.length;
          fc.pre(document[at] !== character);
          const text = `${document.slice(0, at)}${character}${document.slice(at + 1)}`;
          expect(
            violated({ ...state, stored: changed(state.stored, seq, (record) => ({ ...record, document: text })) }),
          ).toContain('chain-unbroken');
        },
      ),
    );
  });
});
