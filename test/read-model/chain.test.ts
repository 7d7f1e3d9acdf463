import { beforeAll, describe, expect, test } from 'vitest';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { appendWrites, EMPTY_CHAIN, nextRecord } from '#domain/audit/chain.ts';
import type { Item } from '#domain/ledger/item.ts';
import { CHAIN_BUCKET, keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { findRecord, followItems, followRecords, hasChain, readChainHead, readRecords } from '#read-model/chain.ts';

const MODEL = 'toy';
/** More than two buckets, the second of which is full. */
const COUNT = 2 * CHAIN_BUCKET + 2;
const AT = new Date('2001-01-10T00:00:00Z');

const ledger = memoryLedger();

beforeAll(async () => {
  let head = EMPTY_CHAIN;
  for (let seq = 0; seq < COUNT; seq += 1) {
    const event = {
      code: 'APPROVERS_NOTIFIED',
      actor: 'pipeline:intake',
      release: null,
      details: { environment: 'prod', promotion: `p-${seq}` },
    } as const;
    const next = nextRecord(head, 'control', MODEL, `o-${seq}`, AT, event);
    await ledger.transact(appendWrites(head, next), `append-${seq}`);
    head = { seq, hash: next.hash };
  }
});

/** A ledger from which some items are gone, and what was asked of it. */
function without(gone: (item: Item) => boolean): ReadableLedger & { readonly queries: string[] } {
  const queries: string[] = [];
  return {
    queries,
    get: (key) => ledger.get(key),
    getMany: (many) => ledger.getMany(many),
    async query(pk, range) {
      queries.push(pk);
      return (await ledger.query(pk, range)).filter((item) => !gone(item));
    },
  };
}

const whole = () => without(() => false);
const seqs = async (from: number, of: ReadableLedger = ledger) =>
  (await Array.fromAsync(followRecords(of, MODEL, from))).map(({ record }) => record.seq);
const numbers = (from: number, to = COUNT) =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);

describe('the one walk of a chain', () => {
  test('gives each record once, in order, from any number on', async () => {
    for (const from of [0, CHAIN_BUCKET - 1, CHAIN_BUCKET, CHAIN_BUCKET + 1, 2 * CHAIN_BUCKET, COUNT - 1, COUNT]) {
      expect(await seqs(from)).toEqual(numbers(from));
      expect((await readRecords(ledger, MODEL, from)).map(({ record }) => record.seq)).toEqual(numbers(from));
    }
  });

  test('reads no bucket before the number, and none after the head', async () => {
    const read = whole();
    expect(await seqs(2 * CHAIN_BUCKET - 1, read)).toHaveLength(3);
    expect(read.queries).toEqual([keys.chainBucket(MODEL, 1), keys.chainBucket(MODEL, 2)]);
    const none = whole();
    expect(await seqs(COUNT, none)).toEqual([]);
    expect(none.queries).toEqual([]);
  });

  test('reads a bucket only when the one before it was used up', async () => {
    const read = whole();
    for await (const { record } of followRecords(read, MODEL)) if (record.seq === 5) break;
    expect(read.queries).toEqual([keys.chainBucket(MODEL, 0)]);
  });

  test('follows no record beyond the head, and reads it all the same', async () => {
    const head = { ...keys.chainHead(MODEL), seq: CHAIN_BUCKET - 1, hash: (await readChainHead(ledger, MODEL)).hash };
    const read: ReadableLedger = {
      ...whole(),
      get: (key) => (key.pk === head.pk ? Promise.resolve(head) : ledger.get(key)),
    };
    expect(await seqs(0, read)).toEqual(numbers(0, CHAIN_BUCKET));
    expect(await readRecords(read, MODEL)).toHaveLength(COUNT);
  });

  test('goes on past a record that is gone', async () => {
    const gap = keys.chainRecord(MODEL, 7).sk;
    const items = await Array.fromAsync(
      followItems(
        without(({ sk }) => sk === gap),
        MODEL,
      ),
    );
    expect(items.map(({ sk }) => Number(sk))).toEqual(numbers(0).filter((seq) => seq !== 7));
  });

  test('ends in a fault where the chain ends before its head, at the end of a bucket as well', async () => {
    for (const last of [CHAIN_BUCKET - 1, COUNT - 1]) {
      const gap = keys.chainRecord(MODEL, last).sk;
      const read = without(({ sk }) => sk === gap);
      await expect(seqs(0, read)).rejects.toMatchObject({ code: 'RECORD_VANISHED' });
    }
  });

  test('is empty where nothing was recorded', async () => {
    expect(await readRecords(ledger, 'other')).toEqual([]);
    expect([await hasChain(ledger, MODEL), await hasChain(ledger, 'other')]).toEqual([true, false]);
    expect((await findRecord(ledger, MODEL, 3))?.operation).toBe('o-3');
    expect(await findRecord(ledger, MODEL, COUNT)).toBeUndefined();
  });
});
