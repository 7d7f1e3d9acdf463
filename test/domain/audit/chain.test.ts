import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import {
  appendWrites,
  type AuditRecord,
  detailsOf,
  EMPTY_CHAIN,
  followChain,
  GENESIS,
  MAX_RECORD_BYTES,
  nextRecord,
  recordOf,
} from '#domain/audit/chain.ts';
import { AUDIT_EVENTS, type AuditEvent } from '#domain/audit/events.ts';
import { canonicalJson, type Digest, digestOf } from '#domain/canonical/digest.ts';
import { CHAIN_BUCKET, keys } from '#domain/ledger/keys.ts';

const AT = new Date('2026-03-02T09:00:00.000Z');
const started = (run: string): AuditEvent => ({
  code: 'RETRAINING_STARTED',
  actor: 'schedule:weekly',
  release: null,
  details: { run, asOf: '2026-03-01', trigger: 'schedule' },
});

function chain(length: number): { record: AuditRecord; hash: Digest }[] {
  const records: { record: AuditRecord; hash: Digest }[] = [];
  for (let index = 0; index < length; index += 1) {
    const last = records.at(-1);
    const head = last === undefined ? EMPTY_CHAIN : { seq: last.record.seq, hash: last.hash };
    records.push(nextRecord(head, 'dev', 'm', `operation-${index}`, AT, started(`run-${index}`)));
  }
  return records;
}

describe('the audit chain', () => {
  it('begins at a known place and links each record to the one before it', () => {
    const records = chain(5);
    expect(records[0]?.record).toMatchObject({ seq: 0, previous: GENESIS });
    for (const [index, { record }] of records.entries()) {
      if (index > 0) expect(record.previous).toBe(digestOf(canonicalJson(records[index - 1]?.record)));
    }
    expect(followChain(EMPTY_CHAIN, records)).toEqual({ head: { seq: 4, hash: records[4]?.hash } });
    expect(followChain(EMPTY_CHAIN, [])).toEqual({ head: EMPTY_CHAIN });
    expect(followChain({ seq: 1, hash: records[1]?.hash ?? GENESIS }, records.slice(2))).toEqual({
      head: { seq: 4, hash: records[4]?.hash },
    });
  });

  it('shows every change: a record that is altered, left out, doubled or out of order', () => {
    const records = chain(8);
    const rehashed = records.map(({ record }) => ({ record, hash: digestOf(canonicalJson(record)) }));
    expect('head' in followChain(EMPTY_CHAIN, rehashed)).toBe(true);
    fc.assert(
      fc.property(fc.nat(6), fc.constantFrom('altered', 'left out', 'doubled', 'moved'), (at, how) => {
        const broken = [...rehashed];
        const one = broken[at];
        if (one === undefined) throw new Error('no record');
        if (how === 'altered') {
          const record = { ...one.record, actor: 'person:mallory' };
          broken[at] = { record, hash: digestOf(canonicalJson(record)) };
        } else if (how === 'left out') broken.splice(at, 1);
        else if (how === 'doubled') broken.splice(at, 0, one);
        else broken.push(...broken.splice(at, 1));
        expect(followChain(EMPTY_CHAIN, broken)).toHaveProperty('broken');
      }),
    );
  });

  it('shows a whole new end, unless it goes on from the known head', () => {
    const known = chain(3);
    const head = { seq: 2, hash: known[2]?.hash ?? GENESIS };
    const forged = nextRecord(
      { seq: 2, hash: digestOf('another history') },
      'dev',
      'm',
      'operation',
      AT,
      started('forged'),
    );
    expect(followChain(head, [forged])).toEqual({ broken: 'record 3 does not follow from 2' });
  });

  it('takes records of at most 4 KB, in bytes', () => {
    const event = (text: string): AuditEvent => ({
      code: 'ROLLBACK_REFUSED',
      actor: 'pipeline:release',
      release: null,
      details: { rollback: 'r', rule: 'rollback-target', found: text },
    });
    const empty = Buffer.byteLength(canonicalJson(nextRecord(EMPTY_CHAIN, 'dev', 'm', 'o', AT, event('')).record));
    const room = MAX_RECORD_BYTES - empty;
    expect(() => nextRecord(EMPTY_CHAIN, 'dev', 'm', 'o', AT, event('x'.repeat(room)))).not.toThrow();
    const tooLarge = expect.objectContaining({ code: 'RECORD_TOO_LARGE' });
    expect(() => nextRecord(EMPTY_CHAIN, 'dev', 'm', 'o', AT, event('x'.repeat(room + 1)))).toThrow(tooLarge);
    expect(() => nextRecord(EMPTY_CHAIN, 'dev', 'm', 'o', AT, event('ä'.repeat(room / 2 + 1)))).toThrow(tooLarge);
  });

  it('takes only what its registry knows', () => {
    const wrong: [string, object][] = [
      ['an unknown field', { run: 'r', asOf: 'd', trigger: 't', more: 1 }],
      ['a missing field', { run: 'r', asOf: 'd' }],
      ['an empty field', { run: '', asOf: 'd', trigger: 't' }],
    ];
    for (const [what, details] of wrong) {
      const event = { ...started('r'), details } as AuditEvent;
      expect(() => nextRecord(EMPTY_CHAIN, 'dev', 'm', 'o', AT, event), what).toThrow(
        expect.objectContaining({ code: 'BAD_DOCUMENT' }),
      );
    }
    const { record } = nextRecord(EMPTY_CHAIN, 'dev', 'm', 'o', AT, started('r'));
    expect(detailsOf(record, 'RETRAINING_STARTED')).toEqual({ run: 'r', asOf: '2026-03-01', trigger: 'schedule' });
    expect(() => detailsOf(record, 'RUN_FAILED')).toThrow(expect.objectContaining({ code: 'BAD_DOCUMENT' }));
  });

  it('is one line in a ledger: of two writers at one head one wins', async () => {
    const ledger = memoryLedger();
    let head = EMPTY_CHAIN;
    for (let index = 0; index < 4; index += 1) {
      const rivals = ['a', 'b'].map((who) =>
        nextRecord(head, 'dev', 'm', `operation-${index}-${who}`, AT, started(who)),
      );
      const results = await Promise.all(
        rivals.map((rival, at) => ledger.transact(appendWrites(head, rival), `${index} ${at}`)),
      );
      expect(results.map(({ kind }) => kind)).toEqual(['committed', 'condition-failed']);
      const item = await ledger.get(keys.chainHead('m'));
      head = { seq: z.int().parse(item?.['seq']), hash: rivals[0]?.hash ?? GENESIS };
      expect(item?.['hash']).toBe(head.hash);
    }
    const stored = (await ledger.query(keys.chainBucket('m', 0))).map(recordOf);
    expect(followChain(EMPTY_CHAIN, stored)).toEqual({ head });
  });

  it('is kept in partitions of a thousand records, in order', () => {
    const at = (seq: number) => keys.chainRecord('m', seq);
    expect(at(CHAIN_BUCKET - 1).pk).toBe(keys.chainBucket('m', 0));
    expect(at(CHAIN_BUCKET).pk).toBe(keys.chainBucket('m', 1));
    fc.assert(
      fc.property(fc.nat(2_000_000), fc.nat(2_000_000), (a, b) => {
        fc.pre(a < b);
        const [left, right] = [at(a), at(b)];
        expect(left.pk < right.pk || (left.pk === right.pk && left.sk < right.sk)).toBe(true);
      }),
    );
  });
});

describe('the registry of events', () => {
  it('says of each code what it means, and whom it alerts', () => {
    for (const [code, { meaning }] of Object.entries(AUDIT_EVENTS)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect(meaning).toMatch(/^[a-z][^.]*[^.]$/);
    }
    const alerting = Object.entries(AUDIT_EVENTS).flatMap(([code, { alert }]) => (alert ? [code] : []));
    expect(alerting.toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'CANARY_ENDED',
      'CANARY_PAUSED',
      'CANDIDATES_HELD',
      'CANDIDATES_REJECTED',
      'DATA_REFUSED',
      'DECISION_REFUSED',
      'DRIFT_CHECKED',
      'INCIDENT_ESCALATED',
      'INCIDENT_JOINED',
      'INCIDENT_OPENED',
      'INTEGRITY_FAILED',
      'ITEM_FAILED',
      'PARTITION_REFUSED',
      'PARTITION_WITHDRAWN',
      'PEER_VERIFICATION_FAILED',
      'PREDICTIONS_BLOCKED',
      'PREDICTIONS_OVERDUE',
      'PROMOTION_FAILED',
      'PROMOTION_REFUSED',
      'RELEASE_JUDGED',
      'RELEASE_ROLLED_BACK',
      'ROLLBACK_NOT_TRIGGERED',
      'ROLLBACK_READINESS_CHECKED',
      'ROLLBACK_READINESS_WAIVED',
      'ROLLBACK_REFUSED',
      'ROLLBACK_TRIGGERED',
      'ROLLBACK_VERIFIED',
      'ROOT_CAUSE_DUE',
      'ROWS_NOT_PUBLISHED',
      'RUN_FAILED',
      'SCHEDULE_MISSED',
      'SERVING_RULES_DIFFER',
    ]);
  });
});
