import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamoLedger } from '#adapters/aws/ledger.ts';
import { faulty, type LedgerFault } from '#adapters/memory/faults.ts';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { EMPTY_CHAIN, followChain } from '#domain/audit/chain.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { ABSENT, equals, type Item, type Write } from '#domain/ledger/item.ts';
import type { Ledger } from '#ports/ledger.ts';
import { readRecords } from '#read-model/chain.ts';
import { recordChange } from '#use-cases/audit/record-change.ts';
import { freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';
import { createTables } from './_tables.ts';
import { inTurn, onTheWire, type WireCall, type WireFault } from './_wire.ts';

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await freshCloud();
});
afterAll(async () => cloud[Symbol.asyncDispose]());

/** A ledger in DynamoDB, what it sent, and how the next requests fare. */
async function onWire(maxAttempts?: number) {
  const client = new DynamoDBClient({
    region: cloud.region,
    endpoint: cloud.endpoint,
    credentials: { accessKeyId: '111111111111', secretAccessKey: 'test' },
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
  });
  const tables = await createTables(client, randomUUID());
  let meet: (call: WireCall) => WireFault | undefined = () => undefined;
  const calls = onTheWire(client, (call) => meet(call));
  const ledger = dynamoLedger(DynamoDBDocumentClient.from(client), tables);
  return { ledger, calls, tables, meets: (next: typeof meet) => void (meet = next) };
}

const CONFLICT: WireFault = { error: 'TransactionCanceledException', reasons: ['None', 'TransactionConflict'] };
/** As often as the adapter tries. */
const eightTimes = (fault: WireFault): WireFault[] => Array.from({ length: 8 }, () => fault);
const item = (sk: string, values: Record<string, Item[string]> = {}): Item => ({ pk: 'RUN#m', sk, ...values });
const put = (of: Item, condition: Write['condition'] = ABSENT): Write => ({ kind: 'put', item: of, condition });
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

describe('the ledger in DynamoDB, on the wire', () => {
  let wire: Awaited<ReturnType<typeof onWire>>;
  beforeAll(async () => {
    wire = await onWire();
  });
  const since = (from: number) => wire.calls.slice(from);

  it('asks for consistency with every read', async () => {
    const body = 'x'.repeat(300_000);
    for (const sk of ['1', '2', '3', '4'])
      await wire.ledger.transact([put({ pk: 'TASK#large', sk, body }), put({ pk: 'PREDICTION#m', sk })], `large ${sk}`);
    const from = wire.calls.length;
    await wire.ledger.get({ pk: 'TASK#large', sk: '1' });
    await wire.ledger.query('TASK#large', { from: '1', to: '4', limit: 4, newestFirst: true });
    await wire.ledger.getMany([
      { pk: 'TASK#large', sk: '1' },
      { pk: 'PREDICTION#m', sk: '1' },
    ]);
    const reads = since(from);
    expect(reads.map(({ action }) => action)).toEqual(['GetItem', 'Query', 'Query', 'BatchGetItem']);
    for (const { body: sent } of reads.slice(0, -1)) expect(sent).toMatchObject({ ConsistentRead: true });
    const requested = reads.at(-1)?.body['RequestItems'];
    expect(requested).toMatchObject({
      [wire.tables.ledger]: { ConsistentRead: true },
      [wire.tables.catalogue]: { ConsistentRead: true },
    });
  });

  it('reads what is asked for side by side in one call, and gives each what it asked for', async () => {
    const from = wire.calls.length;
    const [one, none, other, many] = await Promise.all([
      wire.ledger.get({ pk: 'TASK#large', sk: '1' }),
      wire.ledger.get({ pk: 'TASK#large', sk: 'none' }),
      wire.ledger.get({ pk: 'PREDICTION#m', sk: '2' }),
      wire.ledger.getMany([
        { pk: 'PREDICTION#m', sk: '2' },
        { pk: 'PREDICTION#m', sk: '3' },
      ]),
    ]);
    expect(since(from).map(({ action }) => action)).toEqual(['BatchGetItem']);
    expect(one).toMatchObject({ pk: 'TASK#large', sk: '1' });
    expect(none).toBeUndefined();
    expect([other, ...many].map((each) => each?.sk)).toEqual(['2', '2', '3']);
  });

  it('fails every read of a call that failed, and none of the next one', async () => {
    wire.meets(inTurn(['BatchGetItem'], [{ error: 'ValidationException' }]));
    const asked = ['1', '2'].map((sk) => wire.ledger.get({ pk: 'TASK#large', sk }));
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await wire.ledger.get({ pk: 'TASK#large', sk: '1' })).toMatchObject({ sk: '1' });
  });

  it('is told the truth by the SDK’s own second attempt after an answer that got lost', async () => {
    const from = wire.calls.length;
    wire.meets(inTurn(['TransactWriteItems', 'GetItem'], ['unanswered', 'lost', undefined, 'unanswered']));
    expect(await wire.ledger.transact([put(item('once'))], 'once')).toEqual({ kind: 'committed' });
    const attempts = since(from);
    expect(attempts).toHaveLength(3);
    for (const attempt of attempts) expect(attempt).toEqual(attempts[0]);
    expect(await wire.ledger.get(item('once'))).toEqual(item('once'));
    expect(since(from)).toHaveLength(5);
  });

  it.each(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])(
    'tries again after %s, with the same token',
    async (reason) => {
      const from = wire.calls.length;
      const busy: WireFault = { error: 'TransactionCanceledException', reasons: ['None', reason] };
      wire.meets(inTurn(['TransactWriteItems'], [busy, busy, busy]));
      const writes = [put(item(`${reason} 1`)), put(item(`${reason} 2`))];
      expect(await wire.ledger.transact(writes, reason)).toEqual({ kind: 'committed' });
      const attempts = since(from);
      expect(attempts).toHaveLength(4);
      for (const attempt of attempts) expect(attempt).toEqual(attempts[0]);
    },
  );

  it('waits for a first attempt that is still in progress', async () => {
    const from = wire.calls.length;
    wire.meets(inTurn(['TransactWriteItems'], ['unanswered', { error: 'TransactionInProgressException' }]));
    expect(await wire.ledger.transact([put(item('in progress'))], 'in progress')).toEqual({ kind: 'committed' });
    expect(since(from)).toHaveLength(3);
  });

  it('takes a failed condition for what it is, whatever else went wrong beside it', async () => {
    const from = wire.calls.length;
    const reasons = [
      'TransactionConflict',
      'ConditionalCheckFailed',
      null,
      'ThrottlingError',
      'ConditionalCheckFailed',
    ];
    wire.meets(inTurn(['TransactWriteItems'], [{ error: 'TransactionCanceledException', reasons }]));
    const writes = ['a', 'b', 'c', 'd', 'e'].map((sk) => put(item(`mixed ${sk}`)));
    expect(await wire.ledger.transact(writes, 'mixed')).toEqual({
      kind: 'condition-failed',
      failed: [
        { pk: 'RUN#m', sk: 'mixed b' },
        { pk: 'RUN#m', sk: 'mixed e' },
      ],
    });
    expect(since(from)).toHaveLength(1);
  });

  it('does not repeat what no repetition mends', async () => {
    const from = wire.calls.length;
    const refused: WireFault = { error: 'TransactionCanceledException', reasons: ['ValidationError'] };
    wire.meets(inTurn(['TransactWriteItems'], [refused, { error: 'ValidationException' }]));
    await expect(wire.ledger.transact([put(item('no'))], 'no 1')).rejects.toThrow('ValidationError');
    await expect(wire.ledger.transact([put(item('no'))], 'no 2')).rejects.toThrow('ValidationException');
    expect(since(from)).toHaveLength(2);
  });

  it('gives up after conflicts that do not end, and says so', async () => {
    wire.meets(inTurn(['TransactWriteItems'], eightTimes(CONFLICT)));
    const attempt = wire.ledger.transact([put(item('busy 1')), put(item('busy 2'))], 'busy');
    await expect(attempt).rejects.toMatchObject({
      code: 'LEDGER_BUSY',
      cause: expect.objectContaining({ name: 'TransactionCanceledException' }),
    });
  });

  it('asks again for what a batch of reads left out, and only for that', async () => {
    const all = Array.from({ length: 5 }, (_, index) => item(`batch-${index}`, { index }));
    await wire.ledger.transact(
      all.map((each) => put(each)),
      'batch',
    );
    const { ledger } = wire.tables;
    const left = { [ledger]: { ConsistentRead: true, Keys: [{ pk: { S: 'RUN#m' }, sk: { S: 'batch-4' } }] } };
    const four = { [ledger]: all.slice(0, 4).map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk } })) };
    const from = wire.calls.length;
    wire.meets(
      inTurn(
        ['BatchGetItem'],
        [{ answer: { Responses: four, UnprocessedKeys: left } }, { answer: { UnprocessedKeys: left } }],
      ),
    );
    const found = await wire.ledger.getMany(all);
    expect(found.map((each) => each?.sk)).toEqual(all.map(({ sk }) => sk));
    expect(found.at(-1)).toEqual(all.at(-1));
    const asked = since(from).map(({ body }) => body['RequestItems']);
    expect(asked.slice(1)).toEqual([left, left]);
  });

  it('gives up reading what stays out', async () => {
    const left = { [wire.tables.ledger]: { Keys: [{ pk: { S: 'RUN#m' }, sk: { S: 'batch-4' } }] } };
    wire.meets(inTurn(['BatchGetItem'], eightTimes({ answer: { UnprocessedKeys: left } })));
    const both = [item('batch-3'), item('batch-4')];
    await expect(wire.ledger.getMany(both)).rejects.toMatchObject({ code: 'LEDGER_BUSY' });
    expect((await wire.ledger.getMany(both)).map((each) => each?.['index'])).toEqual([3, 4]);
  });
});
