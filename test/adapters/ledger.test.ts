import { randomUUID } from 'node:crypto';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamoLedger } from '#adapters/aws/ledger.ts';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { ABSENT, absentOrEquals, equals, type Item, MAX_ACTIONS, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Ledger } from '#ports/ledger.ts';
import { clients, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';
import { createTables } from './_tables.ts';

let cloud: TestCloud;
let tables = 0;

beforeAll(async () => {
  cloud = await freshCloud();
});
afterAll(async () => cloud[Symbol.asyncDispose]());

/** A ledger of its own in DynamoDB: two tables, as an environment has them. */
async function freshDynamoLedger(): Promise<Ledger> {
  const client = clients(cloud, '111111111111').dynamodb();
  tables += 1;
  return dynamoLedger(DynamoDBDocumentClient.from(client), await createTables(client, String(tables)));
}

const item = (sk: string, values: Record<string, Item[string]> = {}): Item => ({ pk: 'RUN#m', sk, ...values });
const put = (of: Item, condition?: Write['condition']): Write => ({
  kind: 'put',
  item: of,
  ...(condition === undefined ? {} : { condition }),
});
const COMMITTED = { kind: 'committed' };

describe.each([
  ['in memory', async () => memoryLedger()],
  ['in DynamoDB', freshDynamoLedger],
])('a ledger %s', (_, fresh: () => Promise<Ledger>) => {
  let ledger: Ledger;
  beforeAll(async () => {
    ledger = await fresh();
  });

  it('gives back what was put, and nothing where nothing is', async () => {
    const whole = item('whole', {
      text: 'ä“😀',
      empty: '',
      number: -0.000123,
      large: 1_700_000_000_000,
      yes: true,
      nothing: null,
      list: [1, 'two', null, [], {}],
      map: { nested: { deep: [{ a: 1 }] } },
    });
    expect(await ledger.transact([put(whole)], 'whole')).toEqual(COMMITTED);
    expect(await ledger.get({ pk: 'RUN#m', sk: 'whole' })).toEqual(whole);
    expect(await ledger.get({ pk: 'RUN#m', sk: 'none' })).toBeUndefined();
    expect(await ledger.query('RUN#other')).toEqual([]);
  });

  it('gives every number back as it was', async () => {
    const number = fc.oneof(
      fc.integer(),
      fc.double({ min: -1e15, max: 1e15, noNaN: true }).filter((each) => Math.abs(each) > 1e-100),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 20 }), fc.uuid(), async (numbers, id) => {
        await ledger.transact([put(item(`numbers-${id}`, { numbers }))], id);
        expect((await ledger.get({ pk: 'RUN#m', sk: `numbers-${id}` }))?.['numbers']).toEqual(numbers);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps what it holds apart from what it gave out', async () => {
    const key = { pk: 'RUN#m', sk: 'apart' };
    const list = [{ of: 'one' }];
    await ledger.transact([put(item('apart', { list }))], 'apart');
    list.push({ of: 'what was put' });
    const range = { from: 'apart', to: 'apart' };
    const given = [await ledger.get(key), ...(await ledger.getMany([key])), ...(await ledger.query('RUN#m', range))];
    expect(given).toHaveLength(3);
    // Whether what is given out can be changed is the adapter's affair; what is held cannot.
    for (const each of given) {
      Reflect.set(Object(Object(each?.['list'])[0]), 'of', 'another');
      Reflect.set(Object(each?.['list']), 0, 'another');
      Reflect.set(Object(each), 'list', 'another');
    }
    expect(await ledger.get(key)).toEqual(item('apart', { list: [{ of: 'one' }] }));
    expect(await ledger.query('RUN#m', range)).toEqual([item('apart', { list: [{ of: 'one' }] })]);
  });

  it('gives many items in the order of their keys, of both tables, with gaps and repetitions', async () => {
    const one = item('many 1', { n: 1 });
    const two: Item = { ...keys.partition('m', 'many', '2001-01-02'), n: 2 };
    await ledger.transact([put(one), put(two)], 'many of two tables');
    const none = { pk: 'RUN#m', sk: 'many 0' };
    expect(await ledger.getMany([two, none, one, two])).toEqual([two, undefined, one, two]);
    expect(await ledger.getMany([none])).toEqual([undefined]);
    expect(await ledger.getMany([])).toEqual([]);
  });

  it('gives more items than one batch holds', async () => {
    const all = Array.from({ length: 250 }, (_, index) => item(`batch ${String(index).padStart(3, '0')}`, { index }));
    for (let from = 0; from < all.length; from += MAX_ACTIONS)
      await ledger.transact(
        all.slice(from, from + MAX_ACTIONS).map((each) => put(each)),
        `batch ${from}`,
      );
    const order = all.toReversed();
    expect(await ledger.getMany(order)).toEqual(order);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('holds no %d', async (value) => {
    for (const bad of [{ value }, { nested: { list: [value] } }]) {
      await expect(ledger.transact([put(item('bad', bad))], randomUUID())).rejects.toThrow();
    }
    expect(await ledger.get({ pk: 'RUN#m', sk: 'bad' })).toBeUndefined();
  });

  it('puts where nothing is, once', async () => {
    expect(await ledger.transact([put(item('once', { by: 1 }), ABSENT)], 'once 1')).toEqual(COMMITTED);
    expect(await ledger.transact([put(item('once', { by: 2 }), ABSENT)], 'once 2')).toEqual({
      kind: 'condition-failed',
      failed: [{ pk: 'RUN#m', sk: 'once' }],
    });
    expect(await ledger.get({ pk: 'RUN#m', sk: 'once' })).toMatchObject({ by: 1 });
  });

  it.each([
    [{ text: 'a' }, true],
    [{ text: 'b' }, false],
    [{ text: 'a', number: 1, yes: true, nothing: null }, true],
    [{ text: 'a', number: 2 }, false],
    [{ number: '1' }, false],
    [{ yes: false }, false],
    [{ nothing: 'null' }, false],
    [{ unknown: 'a' }, false],
    [{ unknown: null }, false],
  ])('holds a condition on %o: %s', async (values, holds) => {
    const held = item('held', { text: 'a', number: 1, yes: true, nothing: null });
    await ledger.transact([put(held)], randomUUID());
    const check: Write = { kind: 'check', key: { pk: 'RUN#m', sk: 'held' }, condition: equals(values) };
    const expected = holds ? COMMITTED : { kind: 'condition-failed', failed: [{ pk: 'RUN#m', sk: 'held' }] };
    expect(await ledger.transact([check], randomUUID())).toEqual(expected);
    expect(await ledger.transact([put(held, equals(values))], randomUUID())).toEqual(expected);
    expect(await ledger.transact([put(held, absentOrEquals(values))], randomUUID())).toEqual(expected);
  });

  it('holds a condition on what may be absent where nothing is, and puts there', async () => {
    const values = { text: 'a', number: 1 };
    const check: Write = { kind: 'check', key: { pk: 'RUN#m', sk: 'may be' }, condition: absentOrEquals(values) };
    const failed = { kind: 'condition-failed', failed: [{ pk: 'RUN#m', sk: 'may be' }] };
    expect(await ledger.transact([check], 'may be: nothing')).toEqual(COMMITTED);
    expect(await ledger.transact([put(item('may be', values), absentOrEquals(values))], 'may be: put')).toEqual(
      COMMITTED,
    );
    expect(await ledger.transact([check], 'may be: equal')).toEqual(COMMITTED);
    expect(await ledger.transact([put(item('may be'), absentOrEquals(values))], 'may be: bare')).toEqual(COMMITTED);
    expect(await ledger.transact([check], 'may be: without the values')).toEqual(failed);
    expect(await ledger.transact([put(item('may be', values), absentOrEquals(values))], 'may be: no')).toEqual(failed);
  });

  it('takes a condition on what is not there for one that does not hold', async () => {
    const check: Write = { kind: 'check', key: { pk: 'RUN#m', sk: 'nowhere' }, condition: equals({ nothing: null }) };
    expect((await ledger.transact([check], 'nowhere')).kind).toBe('condition-failed');
    const absent: Write = { ...check, condition: ABSENT };
    expect(await ledger.transact([absent], 'nowhere, and that is right')).toEqual(COMMITTED);
  });

  it('writes all or nothing, and names every condition that failed, in the order of the writes', async () => {
    await ledger.transact([put(item('there', { value: 1 }))], 'there');
    const writes: Write[] = [
      put(item('new'), ABSENT),
      put(item('there', { value: 2 }), ABSENT),
      put(item('unconditional')),
      { kind: 'check', key: { pk: 'RUN#m', sk: 'missing' }, condition: equals({ value: 1 }) },
    ];
    expect(await ledger.transact(writes, 'all or nothing')).toEqual({
      kind: 'condition-failed',
      failed: [
        { pk: 'RUN#m', sk: 'there' },
        { pk: 'RUN#m', sk: 'missing' },
      ],
    });
    for (const sk of ['new', 'unconditional']) expect(await ledger.get({ pk: 'RUN#m', sk })).toBeUndefined();
    expect(await ledger.get({ pk: 'RUN#m', sk: 'there' })).toMatchObject({ value: 1 });
  });

  it('writes to both tables in one transaction', async () => {
    const partition: Item = { ...keys.partition('m', 'events', '2001-01-01'), version: 1 };
    const fence: Item = { ...keys.fence('m'), fence: 1 };
    expect(await ledger.transact([put(partition, ABSENT), put(fence, ABSENT)], 'both')).toEqual(COMMITTED);
    expect(await ledger.get(partition)).toEqual(partition);
    expect(await ledger.query(keys.partitions('m', 'events'))).toEqual([partition]);
    expect(await ledger.get(fence)).toEqual(fence);
  });

  it('does a transaction once per token, and takes no other body under it', async () => {
    const writes = [put(item('token', { value: 1 }))];
    expect(await ledger.transact(writes, 'a token')).toEqual(COMMITTED);
    await ledger.transact([put(item('token', { value: 2 }))], 'another token');
    // The first one's echo: it is done, and is not done again.
    expect(await ledger.transact(writes, 'a token')).toEqual(COMMITTED);
    expect(await ledger.get({ pk: 'RUN#m', sk: 'token' })).toMatchObject({ value: 2 });
    await expect(ledger.transact([put(item('token', { value: 3 }))], 'a token')).rejects.toMatchObject({
      code: 'TOKEN_REUSED',
    });
    await expect(ledger.transact([...writes, put(item('more'))], 'a token')).rejects.toMatchObject({
      code: 'TOKEN_REUSED',
    });
    expect(await ledger.get({ pk: 'RUN#m', sk: 'token' })).toMatchObject({ value: 2 });
  });

  it('does not remember the token of what failed', async () => {
    const writes = [put(item('later'), equals({ ready: true }))];
    expect((await ledger.transact(writes, 'later')).kind).toBe('condition-failed');
    await ledger.transact([put(item('later', { ready: true }))], 'ready');
    expect(await ledger.transact(writes, 'later')).toEqual(COMMITTED);
  });

  it('takes a hundred actions and no more, at least one, and no item twice', async () => {
    const many = Array.from({ length: MAX_ACTIONS + 1 }, (_, index) => put(item(`many-${index}`)));
    await expect(ledger.transact(many, 'too many')).rejects.toMatchObject({ code: 'BAD_TRANSACTION' });
    await expect(ledger.transact([], 'none')).rejects.toMatchObject({ code: 'BAD_TRANSACTION' });
    expect(await ledger.transact(many.slice(0, MAX_ACTIONS), 'many')).toEqual(COMMITTED);
    const twice: Write[] = [
      put(item('twice')),
      { kind: 'check', key: { pk: 'RUN#m', sk: 'twice' }, condition: ABSENT },
    ];
    await expect(ledger.transact(twice, 'twice')).rejects.toMatchObject({ code: 'BAD_TRANSACTION' });
    const one = many.slice(0, 1);
    await expect(ledger.transact(one, 'x'.repeat(37))).rejects.toMatchObject({ code: 'BAD_TRANSACTION' });
    expect(await ledger.transact(one, 'x'.repeat(36))).toEqual(COMMITTED);
  });

  it('takes no item and no key that DynamoDB does not take', async () => {
    const large = (bytes: number) => put({ pk: 'RUN#large', sk: 'x', text: 'x'.repeat(bytes) });
    await expect(ledger.transact([large(400 * 1024)], 'large')).rejects.toMatchObject({ code: 'ITEM_TOO_LARGE' });
    expect(await ledger.transact([large(399 * 1024)], 'less')).toEqual(COMMITTED);
    // In bytes, not in characters.
    const keys = [
      { pk: `RUN#${'é'.repeat(1023)}`, sk: 'x' },
      { pk: 'RUN#m', sk: 'é'.repeat(513) },
      { pk: 'RUN#m', sk: '' },
    ];
    for (const key of keys)
      await expect(ledger.transact([put(key)], 'key')).rejects.toMatchObject({ code: 'KEY_TOO_LONG' });
    expect(await ledger.transact([put({ pk: `RUN#${'é'.repeat(1022)}`, sk: 'é'.repeat(512) })], 'longest')).toEqual(
      COMMITTED,
    );
  });

  it('queries one partition in order, both ends included', async () => {
    const days = ['2001-01-03', '2001-01-01', '2001-01-04', '2001-01-02'];
    await ledger.transact(
      days.flatMap((day) => [put({ pk: 'TASK#q', sk: day }), put({ pk: 'TASK#qq', sk: day })]),
      'days',
    );
    const found = async (range?: Parameters<Ledger['query']>[1]): Promise<string[]> =>
      (await ledger.query('TASK#q', range)).map(({ sk }) => sk.slice(-1));
    expect(await found()).toEqual(['1', '2', '3', '4']);
    expect(await found({ from: '2001-01-02' })).toEqual(['2', '3', '4']);
    expect(await found({ to: '2001-01-03' })).toEqual(['1', '2', '3']);
    expect(await found({ from: '2001-01-02', to: '2001-01-03' })).toEqual(['2', '3']);
    expect(await found({ from: '2001-01-05' })).toEqual([]);
    expect(await found({ limit: 2 })).toEqual(['1', '2']);
    expect(await found({ newestFirst: true, limit: 3 })).toEqual(['4', '3', '2']);
    expect(await found({ from: '2001-01-02', newestFirst: true })).toEqual(['4', '3', '2']);
  });

  it('gives all of a partition that is larger than one page', async () => {
    const body = 'x'.repeat(300_000);
    for (let index = 0; index < 6; index += 1)
      await ledger.transact([put({ pk: 'TASK#large', sk: `${index}`, body })], `large ${index}`);
    expect((await ledger.query('TASK#large')).map(({ sk }) => sk)).toEqual(['0', '1', '2', '3', '4', '5']);
    expect((await ledger.query('TASK#large', { limit: 5 })).map(({ sk }) => sk)).toEqual(['0', '1', '2', '3', '4']);
  });

  it('finds who is named in a range by prefix', async () => {
    const names = ['p-1#person:a', 'p-1#person:z', 'p-10#person:a', 'p-1', 'p-2#person:a'];
    await ledger.transact(
      names.map((sk) => put({ pk: 'APPROVAL#m', sk })),
      'names',
    );
    const found = await ledger.query(keys.approvals('m'), { from: 'p-1#', to: 'p-1#\uFFFF' });
    expect(found.map(({ sk }) => sk)).toEqual(['p-1#person:a', 'p-1#person:z']);
  });

  it('lets one of many win who read the same value', async () => {
    await ledger.transact([put(item('counter', { value: 0 }))], 'counter');
    for (let round = 0; round < 5; round += 1) {
      const rivals = Array.from({ length: 6 }, (_, rival) =>
        ledger.transact(
          [put(item('counter', { value: round + 1, rival }), equals({ value: round }))],
          `counter ${round} ${rival}`,
        ),
      );
      const results = await Promise.all(rivals);
      expect(results.filter(({ kind }) => kind === 'committed')).toHaveLength(1);
    }
    expect(await ledger.get({ pk: 'RUN#m', sk: 'counter' })).toMatchObject({ value: 5 });
  });
});

it('keeps the tokens of environments apart that share an account', async () => {
  const ledgers = [await freshDynamoLedger(), await freshDynamoLedger()];
  for (const [environment, ledger] of ledgers.entries()) {
    expect(await ledger.transact([put(item('cursor', { environment }))], 'the same token')).toEqual(COMMITTED);
    expect(await ledger.get({ pk: 'RUN#m', sk: 'cursor' })).toMatchObject({ environment });
  }
});

it('says which table a function was not given', async () => {
  const client = DynamoDBDocumentClient.from(clients(cloud, '111111111111').dynamodb());
  await expect(
    dynamoLedger(client, { ledger: 'ledger-1' }).get(keys.prediction('m', '2001-01-01')),
  ).rejects.toMatchObject({
    code: 'NO_CATALOGUE',
  });
});
