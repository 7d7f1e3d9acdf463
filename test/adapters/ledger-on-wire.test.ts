import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTurn, type WireFault } from './_wire.ts';
import { onWire, CONFLICT, eightTimes, item, put, begin, end } from './_ledger-on-wire.ts';

beforeAll(begin);
afterAll(end);

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
