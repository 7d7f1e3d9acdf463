import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { LedgerState } from '#domain/audit/invariant.ts';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import { PAYLOAD_TYPES } from '#domain/signature/dsse.ts';
import { seal, soundState } from './_state.ts';
import { violated, changed, rewritten, published } from './_violations.ts';

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

function unknownKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey;
}

describe('the invariants', () => {
  it.each(tampered)('find it when %s', (_, invariant, tamper) => {
    const state = soundState();
    expect(violated({ ...state, ...tamper(state) })).toContain(invariant);
  });
});
