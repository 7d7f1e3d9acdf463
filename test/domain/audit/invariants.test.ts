import { generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LedgerState } from '#domain/audit/invariant.ts';
import { checkInvariants, INVARIANTS } from '#domain/audit/invariants.ts';
import { governedState } from '#domain/audit/standing.ts';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import { type Item, keyText } from '#domain/ledger/item.ts';
import { PAYLOAD_TYPES } from '#domain/signature/dsse.ts';
import { type Lapse, seal, soundState, START } from './_state.ts';

const violated = (state: LedgerState): readonly string[] =>
  checkInvariants(state)
    .filter(({ found }) => found.length > 0)
    .map(({ invariant }) => invariant);

/** The list with the item at a place (counted from the end if negative) replaced. */
const changed = <T>(list: readonly T[], at: number, change: (item: T) => T): T[] => {
  const index = at < 0 ? list.length + at : at;
  return list.map((item, position) => (position === index ? change(item) : item));
};

/** The chain with one record's text changed, and its hash adapted to it. */
const rewritten = (state: LedgerState, seq: number, from: string, to: string): LedgerState['stored'] =>
  changed(state.stored, seq, (record) => {
    const document = record.document.replace(from, to);
    expect(document).not.toBe(record.document);
    return { ...record, document, hash: digestOf(document) };
  });

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

  const lapses: [Lapse, string][] = [
    ['no request', 'request-verified'],
    ['withdrawn upstream', 'released-upstream'],
    ['policy replaced', 'policy-in-force'],
    ['never opened', 'no record opened it'],
  ];
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

  const tampered: [string, string, (state: LedgerState) => Partial<LedgerState>][] = [
    [
      'a record is changed',
      'chain-unbroken',
      (state) => ({
        stored: changed(state.stored, 3, (record) => ({
          ...record,
          document: record.document.replace('fine', 'good'),
        })),
      }),
    ],
    [
      'a record is changed together with its hash',
      'chain-unbroken',
      (state) => ({ stored: rewritten(state, 3, 'fine', 'good') }),
    ],
    ['a record is cut out', 'chain-unbroken', (state) => ({ stored: state.stored.filter(({ seq }) => seq !== 4) })],
    ['the end of the chain is cut off', 'chain-unbroken', (state) => ({ stored: state.stored.slice(0, -1) })],
    [
      'two records are exchanged',
      'chain-unbroken',
      (state) => ({ stored: [...state.stored.slice(1, 2), ...state.stored.slice(0, 1), ...state.stored.slice(2)] }),
    ],
    ['the head is moved', 'chain-unbroken', () => ({ head: { seq: 4, hash: digestOf('other') } })],
    [
      'a record is no JSON',
      'chain-unbroken',
      (state) => ({
        stored: changed(state.stored, 2, (record) => ({ ...record, document: '{', hash: digestOf('{') })),
      }),
    ],
    [
      'a record is not canonical',
      'chain-unbroken',
      (state) => ({ stored: changed(state.stored, -1, (record) => ({ ...record, document: ` ${record.document}` })) }),
    ],
    ['nothing was published', 'chain-published', () => ({ published: undefined })],
    [
      'a published record says something else',
      'chain-published',
      (state) => published(state, 2, seal(PAYLOAD_TYPES.auditRecord, canonicalJson({ other: true }))),
    ],
    [
      'a published record has another type',
      'chain-published',
      (state) => published(state, 2, seal(PAYLOAD_TYPES.pointer, state.stored[2]?.document ?? '')),
    ],
    [
      'a published record is signed with an unknown key',
      'chain-published',
      (state) => published(state, 2, seal(PAYLOAD_TYPES.auditRecord, state.stored[2]?.document ?? '', unknownKey())),
    ],
    [
      'a record is not published',
      'chain-published',
      (state) => ({ published: state.published && { ...state.published, records: state.published.records.slice(1) } }),
    ],
    [
      'a record is published that never was',
      'chain-published',
      (state) => ({
        published: state.published && {
          ...state.published,
          records: [...state.published.records, { seq: 99, envelope: seal(PAYLOAD_TYPES.auditRecord, '{}') }],
        },
      }),
    ],
    [
      'the published pointer says something else',
      'chain-published',
      (state) => ({
        published: state.published && {
          ...state.published,
          newestPointer: { seq: 4, envelope: seal(PAYLOAD_TYPES.pointer, '{}') },
        },
      }),
    ],
    [
      'the pointer names another release',
      'pointer-follows-chain',
      (state) => ({ pointer: state.pointer && { ...state.pointer, current: digestOf('other') } }),
    ],
    [
      'the pointer goes back a number',
      'pointer-follows-chain',
      (state) => ({ pointer: state.pointer && { ...state.pointer, seq: 3 } }),
    ],
    ['the pointer is lost', 'pointer-follows-chain', () => ({ pointer: undefined })],
    [
      'a promotion is called committed',
      'promotions-proven',
      (state) => ({
        promotions: [
          ...state.promotions,
          ...state.promotions.slice(-1).map((promotion) => ({ ...promotion, promotion: 'smuggled' })),
        ],
      }),
    ],
    [
      'a promotion committed another digest',
      'promotions-proven',
      (state) => ({
        promotions: changed(state.promotions, 1, (promotion) => ({ ...promotion, release: digestOf('other') })),
      }),
    ],
    ['evidence is lost', 'promotions-proven', (state) => ({ evidence: state.evidence.slice(1) })],
    [
      'evidence is changed',
      'promotions-proven',
      (state) => ({
        evidence: changed(state.evidence, 2, (piece) => ({
          ...piece,
          evidence: { ...piece.evidence, numbers: { improvement: 1 } },
        })),
      }),
    ],
    ['a gate said no', 'promotions-proven', (state) => ({ stored: rewritten(state, 3, '"PASS"', '"FAIL"') })],
    ['an approval is lost', 'promotions-approved', (state) => ({ approvals: state.approvals.slice(1) })],
    [
      'one person stands for two',
      'promotions-approved',
      (state) => ({
        approvals: changed(state.approvals, 1, (approval) => ({ ...approval, subject: 'person:ml-lead' })),
      }),
    ],
    [
      'the requester approved',
      'promotions-approved',
      (state) => ({
        promotions: changed(state.promotions, 1, (promotion) => ({ ...promotion, requestedBy: 'person:platform' })),
      }),
    ],
    ['an approval is not signed in control', 'promotions-approved', () => ({ decisions: new Map() })],
    [
      'control signed a rejection',
      'promotions-approved',
      (state) => ({
        decisions: new Map(
          [...(state.decisions ?? [])].map(([hash, record]) => [
            hash,
            { ...record, details: { ...record.details, decision: 'reject' } },
          ]),
        ),
      }),
    ],
    [
      'a statement is used twice',
      'promotions-approved',
      (state) => ({
        approvals: [
          ...state.approvals,
          ...state.approvals
            .slice(0, 1)
            .map((approval) => ({ ...approval, subject: 'person:third', status: 'unused' as const })),
        ],
      }),
    ],
    [
      'an approval was used for nothing',
      'promotions-approved',
      (state) => ({
        approvals: [
          ...state.approvals,
          ...state.approvals
            .slice(0, 1)
            .map((approval) => ({ ...approval, promotion: 'none', statement: digestOf('s') })),
        ],
      }),
    ],
    [
      'people saw other evidence',
      'promotions-approved',
      (state) => ({
        promotions: changed(state.promotions, 1, (promotion) => ({
          ...promotion,
          approvalRequest: { evidence: digestOf('other'), expiresAt: promotion.deadline },
        })),
      }),
    ],
    ['the lock has no owner', 'lock-owned', () => ({ lock: { promotion: 'gone', fencingToken: 3 } })],
    [
      'a promotion is open without the lock',
      'lock-owned',
      (state) => ({
        promotions: [
          ...state.promotions,
          ...state.promotions
            .slice(-1)
            .map((promotion) => ({ ...promotion, promotion: 'late', status: 'open' as const })),
        ],
      }),
    ],
    [
      'a quarantined digest is served',
      'nothing-quarantined',
      (state) => ({ quarantined: [...state.quarantined, digestOf('1.0.0')] }),
    ],
    ['a quarantine is lifted', 'nothing-quarantined', () => ({ quarantined: [] })],
    [
      'a file of the release is damaged',
      'releases-whole',
      () => ({ objects: [{ of: 'release', name: '1.0.0', found: 'does not hash to its name' }] }),
    ],
    [
      'no baseline can be served',
      'baseline-servable',
      () => ({ baselines: [{ version: '0.1.0', problem: 'golden.json is not valid: rows: Too small' }] }),
    ],
    [
      'a partition of predictions is damaged',
      'predictions-whole',
      () => ({ objects: [{ of: 'prediction', name: '2026-03-01', found: 'is not there' }] }),
    ],
    [
      'predictions of a withdrawn release remain',
      'predictions-whole',
      (state) => ({
        predictions: changed(state.predictions, 0, (manifest) => ({ ...manifest, release: digestOf('1.0.1') })),
      }),
    ],
  ];
  it.each(tampered)('find it when %s', (_, invariant, tamper) => {
    const state = soundState();
    expect(violated({ ...state, ...tamper(state) })).toContain(invariant);
  });

  /** What fsck says of the items that stand, with some of them replaced. */
  const replays = (state: LedgerState, standing: readonly Item[]): readonly string[] =>
    // To verify what was published, which these items are not, would be most of the time.
    checkInvariants({ ...state, ...governedState(standing), published: undefined }).find(
      ({ invariant }) => invariant === 'ledger-replays',
    )?.found ?? [];

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

function published(state: LedgerState, seq: number, envelope: ReturnType<typeof seal>): Partial<LedgerState> {
  return {
    published: state.published && {
      ...state.published,
      records: changed(state.published.records, seq, () => ({ seq, envelope })),
    },
  };
}

function unknownKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey;
}
