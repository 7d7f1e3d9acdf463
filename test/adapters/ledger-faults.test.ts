import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faulty, type LedgerFault } from '#adapters/memory/faults.ts';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { EMPTY_CHAIN, followChain } from '#domain/audit/chain.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { equals } from '#domain/ledger/item.ts';
import type { Ledger } from '#ports/ledger.ts';
import { readRecords } from '#read-model/chain.ts';
import { recordChange } from '#use-cases/audit/record-change.ts';
import { inTurn, type WireFault } from './_wire.ts';
import { onWire, CONFLICT, eightTimes, item, put, begin, end } from './_ledger-on-wire.ts';

beforeAll(begin);
afterAll(end);

const NOW = new Date('2026-03-02T09:00:00.000Z');

const change = (ledger: Ledger, operation: string, now = NOW) =>
  recordChange(
    { ledger, environment: 'staging', clock: { now: () => now } },
    {
      model: 'm',
      operation,
      writes: [put(item(`by-${operation}`))],
      event: {
        code: 'PEER_VERIFICATION_FAILED',
        actor: 'pipeline:intake',
        release: digestOf('release'),
        details: { peer: 'dev', seq: 3, rule: 'chain-unbroken', found: operation },
      },
    },
  );

interface Fixture {
  /** As a caller sees it. */
  readonly ledger: Ledger;
  readonly meets: (...faults: readonly LedgerFault[]) => void;
}

describe.each([
  [
    'in memory',
    async (): Promise<Fixture> => {
      const faults: LedgerFault[] = [];
      const next = (call: 'read' | 'transact') => (call === 'transact' ? faults.shift() : undefined);
      return { ledger: faulty(memoryLedger(), next), meets: (...more) => void faults.push(...more) };
    },
  ],
  [
    'in DynamoDB',
    async (): Promise<Fixture> => {
      const { ledger, meets } = await onWire(1);
      return {
        ledger,
        meets: (...faults) =>
          meets(
            inTurn(
              ['TransactWriteItems'],
              faults.flatMap((fault) => (fault === 'busy' ? eightTimes(CONFLICT) : (fault as WireFault))),
            ),
          ),
      };
    },
  ],
])('a ledger %s whose calls meet faults', (_, fresh) => {
  let ledger: Ledger;
  let meets: Fixture['meets'];
  beforeAll(async () => {
    ({ ledger, meets } = await fresh());
  });

  it.each(['lost', 'busy'] as const)(
    'has done nothing when a call was %s, and does it when asked again',
    async (fault) => {
      meets(fault);
      const writes = [put(item(fault)), put(item(`${fault} too`))];
      await expect(ledger.transact(writes, fault)).rejects.toThrow(fault === 'busy' ? 'come to rest' : /./);
      expect(await ledger.getMany([item(fault), item(`${fault} too`)])).toEqual([undefined, undefined]);
      expect(await ledger.transact(writes, fault)).toEqual({ kind: 'committed' });
      expect(await ledger.get(item(fault))).toEqual(item(fault));
    },
  );

  it('has done what it did not answer; the token tells the caller so, and lets nothing else through', async () => {
    meets('unanswered');
    const writes = [put(item('unanswered', { value: 1 }))];
    await expect(ledger.transact(writes, 'unanswered')).rejects.toThrow(/./);
    expect(await ledger.get(item('unanswered'))).toMatchObject({ value: 1 });
    await ledger.transact([put(item('unanswered', { value: 2 }), equals({ value: 1 }))], 'in between');
    expect(await ledger.transact(writes, 'unanswered')).toEqual({ kind: 'committed' });
    const other = [put(item('unanswered', { value: 3 }))];
    await expect(ledger.transact(other, 'unanswered')).rejects.toMatchObject({ code: 'TOKEN_REUSED' });
    expect(await ledger.get(item('unanswered'))).toMatchObject({ value: 2 });
  });

  it('does not know its own work by a token that it has forgotten: the condition then refuses', async () => {
    meets('outlived');
    const writes = [put(item('outlived'))];
    await expect(ledger.transact(writes, 'outlived')).rejects.toThrow(/./);
    expect(await ledger.transact(writes, 'outlived')).toEqual({
      kind: 'condition-failed',
      failed: [{ pk: 'RUN#m', sk: 'outlived' }],
    });
  });

  it.each([
    ['lost', 'recorded'],
    ['busy', 'recorded'],
    ['unanswered', 'already-recorded'],
    ['outlived', 'already-recorded'],
  ] as const)('records a change once whose call was %s: asked again it is %s', async (fault, kind) => {
    const before = await readRecords(ledger, 'm', 0);
    meets(fault);
    await expect(change(ledger, fault)).rejects.toThrow(/./);
    // The clock has gone on: the second attempt has another body, and so another token.
    const again = await change(ledger, fault, new Date(NOW.getTime() + 60_000));
    expect(again).toMatchObject({ kind, seq: before.length });
    expect(await change(ledger, fault)).toEqual({ ...again, kind: 'already-recorded' });
    const records = await readRecords(ledger, 'm', 0);
    expect(records).toHaveLength(before.length + 1);
    expect(followChain(EMPTY_CHAIN, records)).toMatchObject({ head: { seq: before.length } });
  });
});

it('records each change once, whatever befalls the calls, for a caller who asks until it is answered', async () => {
  const fault = fc.option(
    fc.oneof(
      fc.constantFrom<LedgerFault>('lost', 'busy', 'unanswered', 'outlived'),
      fc.record({ late: fc.integer({ min: 1, max: 9 }) }),
    ),
    { nil: undefined, freq: 2 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), async (faults, changes) => {
      const left = [...faults];
      const memory = memoryLedger();
      const ledger = faulty(memory, () => left.shift());
      let minutes = 0;
      const untilAnswered = async (operation: string): Promise<void> => {
        for (;;) {
          try {
            minutes += 1;
            const { kind } = await change(ledger, operation, new Date(NOW.getTime() + minutes * 60_000));
            expect(kind).not.toBe('refused');
            return;
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/^LEDGER_/) });
          }
        }
      };
      const operations = Array.from({ length: changes }, (_, index) => `operation-${index}`);
      // Half of them compete with their neighbour for the same place in the chain.
      for (let from = 0; from < operations.length; from += 2)
        await Promise.all(operations.slice(from, from + 2).map(untilAnswered));
      await ledger.settle();
      const records = await readRecords(memory, 'm', 0);
      expect(records.map(({ record }) => record.operation).toSorted()).toEqual(operations);
      expect(followChain(EMPTY_CHAIN, records)).toMatchObject({ head: { seq: changes - 1 } });
      expect(await memory.query('RUN#m')).toHaveLength(changes);
      expect(await memory.query('OPERATION#m')).toHaveLength(changes);
    }),
    { numRuns: 500 },
  );
});
