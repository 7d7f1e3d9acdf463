import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { recordOf } from '#domain/audit/chain.ts';
import { changedItems, NOTHING_CHANGED } from '#domain/audit/changes.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { type Item, textOf, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { recordChange } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

const put = (item: Item): Write => ({ kind: 'put', item });
const event = {
  code: 'PEER_KEY_PINNED',
  actor: 'pipeline:intake',
  release: null,
  details: { peer: 'dev', keyid: 'k' },
} as const;

function acting() {
  const ledger = memoryLedger();
  const deps = { environment: 'prod', ledger, clock: { now: () => new Date('2026-03-02T09:00:00.000Z') } };
  const act = (operation: string, writes: readonly Write[]) =>
    recordChange(deps, { model: 'm', operation, writes, event });
  const stored = async (seq: number) => {
    const item = await ledger.get(keys.chainRecord('m', seq));
    if (item === undefined) throw new Error(`no record ${seq}`);
    return { record: recordOf(item).record, changes: textOf(item, 'changes') };
  };
  return { ledger, act, stored };
}

describe('an audited act', () => {
  it('commits in its record to the governed items that it puts, and to no others', async () => {
    const { act, stored } = acting();
    const pin = { ...keys.peer('dev'), keyid: 'k' };
    await act('pin', [put(pin), put({ ...keys.run('m', 'run'), status: 'ended' })]);
    const { record, changes } = await stored(0);
    expect(changedItems(changes)).toEqual([pin]);
    expect(record.changes).toBe(digestOf(changes));
    await act('nothing', []);
    expect((await stored(1)).record.changes).toBe(NOTHING_CHANGED);
  });

  it.each<[string, string, Item]>([
    ['a record of its own', 'CHAIN_RESERVED', { ...keys.chainRecord('m', 7), document: '' }],
    ['another operation', 'CHAIN_RESERVED', { ...keys.operation('m', 'other'), seq: 0 }],
    ['an authority that nobody knows', 'UNKNOWN_AUTHORITY', { pk: 'POINTERS#m', sk: 'POINTER' }],
    ['more than an item may hold', 'CHANGE_TOO_LARGE', { ...keys.peer('dev'), keyid: 'x'.repeat(400_000) }],
    ['more than a transaction may hold', 'TRANSACTION_TOO_LARGE', { ...keys.run('m', 'r'), text: 'ä'.repeat(2 ** 21) }],
  ])('never puts %s', async (_, code, item) => {
    const { act, ledger } = acting();
    await expect(act('large', [put(item)])).rejects.toMatchObject({ code });
    expect(ledger.items.size).toBe(0);
  });
});

describe('a write without a record', () => {
  it('keeps books, and is refused under a governed authority', async () => {
    const ledger = memoryLedger();
    await writeUnaudited(ledger, [put({ ...keys.cursor('peer-dev', 'm'), seq: 1 })], 'cursor');
    expect(ledger.items.size).toBe(1);
    for (const key of [
      keys.pointer('m'),
      keys.upstream('m', 'r', 'dev'),
      keys.request('m', 'p'),
      keys.operation('m', 'o'),
    ]) {
      await expect(writeUnaudited(ledger, [put({ ...key, a: 1 })], 'other')).rejects.toMatchObject({
        code: 'AUDIT_REQUIRED',
      });
    }
    expect(ledger.items.size).toBe(1);
  });

  it('is the only way beside an audited act by which a use-case writes a ledger', () => {
    const folder = join(import.meta.dirname, '../../src/use-cases');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
    const writers = files.filter((path) => readFileSync(join(folder, path), 'utf8').includes('.transact('));
    expect(writers.sort()).toEqual(['audit/record-change.ts', 'audit/write-unaudited.ts']);
  });
});
