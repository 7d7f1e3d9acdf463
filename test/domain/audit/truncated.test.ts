import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { truncated } from '#domain/audit/truncated.ts';
import { canonicalJson } from '#domain/canonical/digest.ts';

it('tells texts within a number of bytes, and those that fit in full', () => {
  expect(truncated(['a', 'b', 'c'], 2, 10)).toEqual(['a', 'b']);
  expect(truncated(['x'.repeat(20)], 1, 10)).toEqual(['x'.repeat(10)]);
  expect(truncated(['ä'.repeat(20)], 1, 10)).toEqual(['ä'.repeat(5)]);
  expect(truncated(['"'.repeat(20)], 1, 10)).toEqual(['"'.repeat(5)]);
  expect(truncated([], 3, 10)).toEqual([]);
});

it('never takes more bytes than it may, and always leaves text', () => {
  const text = fc.string({ unit: 'binary', maxLength: 400 }).filter((each) => each.isWellFormed());
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 20 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 50, max: 3000 }),
      (texts, count, bytes) => {
        const told = truncated(texts, count, bytes);
        expect(told).toHaveLength(Math.min(texts.length, count));
        const taken = told.reduce((sum, each) => sum + Buffer.byteLength(JSON.stringify(each)) - 2, 0);
        expect(taken).toBeLessThanOrEqual(bytes);
        for (const [index, each] of told.entries()) expect(texts[index]?.startsWith(each)).toBe(true);
        expect(() => canonicalJson(told)).not.toThrow();
      },
    ),
  );
});
