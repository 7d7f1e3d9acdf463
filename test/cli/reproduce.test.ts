import { describe, expect, it } from 'vitest';
import { firstDifference } from '#cli/commands/release/reproduce/difference.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('where two files part', () => {
  it('is nowhere when they are the same', () => {
    expect(firstDifference(bytes('{"a":1}'), bytes('{"a":1}'))).toBeUndefined();
  });

  it('is shown with what is around it where both are text', () => {
    expect(firstDifference(bytes('{"rows":[0.25,0.5]}'), bytes('{"rows":[0.25,0.75]}'))).toBe(
      'at byte 16: "{"rows":[0.25,0.5]}", rebuilt "{"rows":[0.25,0.75]}"',
    );
  });

  it('is a byte where one is none, or where one is longer', () => {
    expect(firstDifference(Uint8Array.of(0xff, 1, 2), Uint8Array.of(0xff, 1, 3))).toBe(
      'byte 2 of 3, and of 3 rebuilt ones',
    );
    expect(firstDifference(Uint8Array.of(0xff, 1), Uint8Array.of(0xff, 1, 3))).toBe(
      'byte 2 of 2, and of 3 rebuilt ones',
    );
  });
});
