import { beforeEach, describe, expect, it } from 'vitest';
import { keys } from '#domain/ledger/keys.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import { MODEL } from './_environments.ts';
import { PART, prod, landed, announced, admit, begin } from './_admission.ts';

beforeEach(begin);

describe('admission', () => {
  it.each([
    'part-001.PARQUET',
    'part-001.parq',
    'part-001.pq',
    'part-001.snappy',
    'part-001.parquet.gz',
    'part-001.csv',
    'part-001',
    'hour=1/part-001.parquet',
    'more/part-001.parquet',
    'manifest.json',
  ])('refuses a partition with a file that would not be read: %s', async (name) => {
    landed.set(`toy/events/dt=2001-01-10/${name}`, { content: 'more rows', version: 1 });
    const refusal = {
      rule: 'partition-names',
      found: `toy/events/dt=2001-01-10/ has 1 files that would not be read: ${name}`,
    };
    expect(await admit()).toMatchObject({ kind: 'refused', refusal });
    expect(announced).toEqual([]);
    expect((await prod.chain()).at(-1)).toMatchObject({ code: 'PARTITION_REFUSED', details: refusal });
  });

  it.each([
    PART,
    'toy/events/dt=2001-01-10/_SUCCESS',
    'toy/events/_READY',
    'toy/events/dt=2001-01-10/more/_READY',
    'toy/eventsX/dt=2001-01-10/_READY',
    'other/dt=2001-01-10/_READY',
    '',
  ])('passes over the key "%s"', async (key) => {
    expect(await admit(key)).toEqual({ kind: 'ignored' });
    expect(prod.ledger.items.size).toBe(0);
  });

  it.each([
    ['toy/events/dt=yesterday/_READY', 'partition-day'],
    ['toy/events/dt=2001-02-30/_READY', 'partition-day'],
    ['toy/events/dt=2001-01-11/_READY', 'partition-whole'],
  ])('refuses the marker "%s" by rule %s, and admits nothing', async (key, rule) => {
    landed.set(key, { content: '', version: 1 });
    expect(await admit(key)).toMatchObject({ kind: 'refused', refusal: { rule } });
    expect(announced).toEqual([]);
    expect(await prod.ledger.query(keys.partitions(MODEL, 'events'))).toEqual([]);
    // It stands until the marker is removed.
    expect(await readOpenRefusals(prod.ledger, MODEL)).toMatchObject([{ kind: 'events', rule }]);
    landed.delete(key);
    expect(await admit(key)).toEqual({ kind: 'unchanged' });
    expect(await readOpenRefusals(prod.ledger, MODEL)).toEqual([]);
  });

  it('tells people once of what it refused', async () => {
    landed.delete(PART);
    for (let time = 0; time < 2; time += 1) await admit();
    expect((await prod.chain()).map(({ code, details }) => [code, details['rule']])).toEqual([
      ['PARTITION_REFUSED', 'partition-whole'],
    ]);
  });
});
