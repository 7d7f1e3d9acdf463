import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { AdmittedPartition } from '#domain/data/partition.ts';
import { partitionIn } from '#domain/data/partition-item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { admitPartition } from '#use-cases/admission/admit-partition.ts';
import { deployed, MODEL, world } from './_environments.ts';
import { MARKER, PART, prod, landed, announced, list, copy, engine, admit, begin } from './_admission.ts';

beforeEach(begin);

const newest = async () => {
  const item = await prod.ledger.get(keys.partition(MODEL, 'events', '2001-01-10'));
  return item && partitionIn(item);
};

describe('admission', () => {
  it('admits a partition by reference, with versions and hashes, and announces it', async () => {
    expect(await admit()).toMatchObject({ kind: 'admitted' });
    expect(await newest()).toMatchObject({
      version: 1,
      objects: [{ bucket: 'landing', key: PART, versionId: '1', sha256: digestOf('rows'), size: 4 }],
    });
    expect(announced).toMatchObject([{ model: MODEL, kind: 'events', day: '2001-01-10', version: 1 }]);
  });

  it('admits a day of a file a minute, and refuses one whose entry would be too large, with the number that fits', async () => {
    const minutes = (count: number): void => {
      landed.clear();
      landed.set(MARKER, { content: '', version: 1 });
      for (let file = 0; file < count; file += 1) {
        const name = `toy/events/dt=2001-01-10/part-${String(file).padStart(5, '0')}-3f0c0f6e-5a6e-4a86-9d53-0d6d6f6e8f11.parquet`;
        // S3's version ids have 32 characters.
        landed.set(name, { content: `rows ${file}`, version: `${'v'.repeat(26)}${String(file).padStart(6, '0')}` });
      }
    };
    minutes(1440);
    expect(await admit()).toMatchObject({ kind: 'admitted' });
    expect((await newest())?.objects).toHaveLength(1440);
    expect((await newest())?.objects).toEqual(
      (await list('toy/events/dt=2001-01-10/')).filter(({ key }) => key !== MARKER),
    );
    minutes(3000);
    expect(await admit()).toMatchObject({ kind: 'refused', refusal: { rule: 'partition-files' } });
    expect((await prod.chain()).at(-1)).toMatchObject({
      code: 'PARTITION_REFUSED',
      details: { rule: 'partition-files' },
    });
    expect((await newest())?.version).toBe(1);
  });

  it('takes the same marker again for no news, and the same bytes in a new version', async () => {
    await admit();
    landed.set(PART, { content: 'rows', version: 2 });
    for (let time = 0; time < 2; time += 1) expect(await admit()).toEqual({ kind: 'unchanged' });
    expect(await newest()).toMatchObject({ version: 1 });
    expect(announced).toHaveLength(1);
  });

  it('admits a correction as the next version, and keeps the one before it', async () => {
    await admit();
    landed.set(PART, { content: 'corrected rows', version: 2 });
    landed.set('toy/events/dt=2001-01-10/part-001.parquet', { content: 'late rows', version: 1 });
    expect(await admit()).toMatchObject({ kind: 'admitted', partitions: [{ version: 2 }] });
    const versions = await prod.ledger.query(keys.partitionVersion(MODEL, 'events', '2001-01-10', 1).pk);
    expect(versions.map(partitionIn).map(({ version, objects }) => [version, objects])).toMatchObject([
      [1, [{ versionId: '1', sha256: digestOf('rows') }]],
      [2, [{ versionId: '2' }, { sha256: digestOf('late rows') }]],
    ]);
    // And back again: what is current is what was written last.
    landed.set(PART, { content: 'rows', version: 3 });
    landed.delete('toy/events/dt=2001-01-10/part-001.parquet');
    expect(await admit()).toMatchObject({ kind: 'admitted', partitions: [{ version: 3 }] });
  });

  it('passes over what writers leave behind and tables hide', async () => {
    await admit();
    const before = await newest();
    const left = [
      '_SUCCESS',
      '_committed_123',
      '_started_123',
      '_temporary/0/task_0/part-000.parquet',
      '.part-000.parquet.crc',
      '._part-001.parquet',
      '_part-002.parquet',
      '.spark-staging/part-000.parquet',
      '',
      'hour=1_$folder$',
    ];
    for (const name of left) landed.set(`toy/events/dt=2001-01-10/${name}`, { content: 'left', version: 1 });
    expect(await admit()).toEqual({ kind: 'unchanged' });
    landed.delete(PART);
    expect(await admit()).toMatchObject({
      kind: 'refused',
      refusal: { rule: 'partition-whole', found: expect.stringContaining('hidden ones: _SUCCESS, _committed_123') },
    });
    expect(await newest()).toEqual(before);
  });

  it('knows the markers of all readers of a source, whatever they are called', async () => {
    const [first] = deployed.models;
    if (first === undefined) throw new Error('no model');
    const events = { ...first.definition.events, readyMarker: 'DONE' };
    const twin = { ...first, definition: { ...first.definition, name: 'twin', events } };
    landed.set('toy/events/dt=2001-01-10/DONE', { content: '', version: 1 });
    const both = { ...prod, deployed: { ...deployed, models: [first, twin] }, landing: { list, copy }, engine };
    const admission = await admitPartition({ ...both, announce: async () => undefined }, MARKER);
    expect(admission).toMatchObject({ kind: 'admitted', partitions: [{ model: MODEL }] });
  });

  it('has the same digest in each account, whatever the bucket is called', async () => {
    await admit();
    const digest = (await newest())?.digest;
    const other = world().environment('staging');
    const elsewhere = async (prefix: string) =>
      (await list(prefix)).map((object) => ({ ...object, bucket: 'other', versionId: '9' }));
    await admitPartition(
      { ...other, landing: { list: elsewhere, copy }, engine, announce: async () => undefined },
      MARKER,
    );
    expect((await other.ledger.get(keys.partition(MODEL, 'events', '2001-01-10')))?.['digest']).toBe(digest);
  });

  it('makes a partition whose marker is gone an empty one, as an audited act, and admits it again when it comes back', async () => {
    await admit();
    const digest = (await newest())?.['digest'];
    landed.delete(MARKER);
    expect(await admit()).toMatchObject({ kind: 'admitted', partitions: [{ version: 2, objects: [] }] });
    expect(await newest()).toMatchObject({ version: 2, objects: [] });
    expect((await prod.chain()).at(-1)).toMatchObject({
      code: 'PARTITION_WITHDRAWN',
      details: { kind: 'events', day: '2001-01-10', version: 2, digest },
    });
    expect(announced.map(({ version }) => version)).toEqual([1, 2]);
    // The same event twice, or one that comes late, is no news.
    expect(await admit()).toEqual({ kind: 'unchanged' });
    landed.set(MARKER, { content: '', version: 2 });
    expect(await admit()).toMatchObject({ kind: 'admitted', partitions: [{ version: 3, digest }] });
  });

  it('withdraws nothing that was never admitted', async () => {
    landed.delete(MARKER);
    expect(await admit()).toEqual({ kind: 'unchanged' });
    expect(prod.ledger.items.size).toBe(0);
  });

  it('admits one source for every model that reads it', async () => {
    const [first] = deployed.models;
    if (first === undefined) throw new Error('no model');
    const twin = { ...first, definition: { ...first.definition, name: 'twin' } };
    const both = {
      ...prod,
      deployed: { ...deployed, models: [first, twin] },
      landing: { list, copy },
      engine,
      announce: async () => undefined,
    };
    expect(await admitPartition(both, MARKER)).toMatchObject({ partitions: [{ model: MODEL }, { model: 'twin' }] });
  });

  it.each([['refuses'], ['fails on']])('admits a source for a model though another one %s it', async (how) => {
    const [first] = deployed.models;
    if (first === undefined) throw new Error('no model');
    const { events } = first.definition;
    const named = (name: string, readyMarker: string) => ({
      ...first,
      definition: { ...first.definition, name, events: { ...events, readyMarker } },
    });
    let calls = 0;
    const both = {
      ...prod,
      deployed: { ...deployed, models: [named(MODEL, '_READY'), named('twin', '_READY')] },
      engine,
      landing: {
        copy,
        list: async (prefix: string) => {
          calls += 1;
          if (calls > 1) return list(prefix);
          if (how === 'fails on') throw new Error('S3 is slow');
          return (await list(prefix)).filter(({ key }) => key === MARKER);
        },
      },
      announce: async (partition: AdmittedPartition) => void announced.push(partition),
    };
    const result = await admitPartition(both, MARKER).catch((error: unknown) => error);
    expect(result).toMatchObject(
      how === 'refuses'
        ? { kind: 'refused', refusal: { rule: 'partition-whole' } }
        : { code: 'ITEMS_FAILED', message: expect.stringContaining('events of toy, 2001-01-10: S3 is slow') },
    );
    expect(announced).toMatchObject([{ model: 'twin', day: '2001-01-10' }]);
  });

  it('is told to look again when two admit at once, and nothing is lost', async () => {
    const results = await Promise.allSettled([admit(), admit(), admit()]);
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    for (const result of results)
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'ITEMS_FAILED', message: expect.stringContaining('look again') });
    expect(await admit()).toEqual({ kind: 'unchanged' });
    expect(await newest()).toMatchObject({ version: 1 });
  });
});
