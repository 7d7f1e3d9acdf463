import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDays, type AdmittedPartition, partitionDigest } from '#domain/data/partition.ts';
import { partitionIn, partitionItem, whyTooManyFiles } from '#domain/data/partition-item.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { checkItem, itemBytes, MESSAGE_BYTES, messageText } from '#domain/limits.ts';
import { keys } from '#domain/ledger/keys.ts';
import { whyNotPublishable } from '#domain/prediction/row-key.ts';

describe('the bytes of an item', () => {
  it.each([
    [{ name: 'x' }, 5],
    [{ é: 'é' }, 4],
    [{ n: null, b: true }, 4],
    [{ list: ['ab', 'c'] }, 4 + 3 + (1 + 2) + (1 + 1)],
    [{ map: { k: 'v' } }, 3 + 3 + (1 + 2)],
  ])('of %j are %i', (item, bytes) => {
    expect(itemBytes(item)).toBe(bytes);
  });

  it('are never fewer than those of its texts', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (item) => {
        const texts = Object.entries(item).flat();
        expect(itemBytes(item)).toBe(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
      }),
    );
  });
});

describe('what a service does not take', () => {
  it('is refused by name', () => {
    expect(() => checkItem({ pk: 'RUN#m', sk: '' })).toThrow(expect.objectContaining({ code: 'KEY_TOO_LONG' }));
    expect(() => messageText('the answer', 'x'.repeat(MESSAGE_BYTES))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_TOO_LARGE', message: expect.stringContaining('the answer has') }),
    );
    expect(messageText('the answer', { a: 1 })).toBe('{"a":1}');
  });

  it('is known of a row before it is published', () => {
    const row = { row: 'r', entity: 'e', day: '2001-01-01', predictions: digestOf('p') };
    expect(whyNotPublishable('m', row)).toBeUndefined();
    expect(whyNotPublishable('m', { ...row, entity: 'x'.repeat(3000) })).toContain('pk has');
    expect(whyNotPublishable('m', { ...row, row: '数'.repeat(400) })).toContain('sk has');
  });
});

describe('the item of a partition', () => {
  const partition = (names: readonly string[]): AdmittedPartition => {
    const objects = names.map((name, index) => ({
      bucket: 'landing',
      key: `flights/events/dt=2001-01-01/${name}`,
      versionId: `v${index}`,
      sha256: digestOf(name),
      size: index,
    }));
    const day = addDays('2001-01-01', 0);
    const digest = partitionDigest(objects);
    return {
      formatVersion: 1,
      model: 'm',
      kind: 'events',
      day,
      version: 1,
      digest,
      objects,
      admittedAt: '2026-03-02T09:00:00.000Z',
    };
  };

  it('holds each object of it, whatever the files are called and in whatever folders they lie', () => {
    const name = fc.stringMatching(/^[a-z0-9=./-]{1,20}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 6 }), (names) => {
        const one = partition(names);
        const key = keys.partition('m', 'events', one.day);
        expect(partitionIn(partitionItem(key, one))).toEqual(one);
        expect(whyTooManyFiles(one)).toBeUndefined();
      }),
    );
  });
});
