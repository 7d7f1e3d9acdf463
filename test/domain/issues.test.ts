import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';
import { nearestOf } from '#domain/issues.ts';
import { definePolicyFloor } from '#model/define-policy.ts';
import { defineConfig } from '#model/config.ts';
import config from '../../gatehouse.config.ts';
import floor from '../../governance/policy.ts';

describe('the nearest known word', () => {
  it.each([
    ['comparision', 'comparison'],
    ['aprovals', 'approvals'],
    ['lable', 'labels'],
    ['minimumdays', 'minimumDays'],
    ['x', undefined],
    ['threshold', undefined],
  ])('to %s is %s', (word, nearest) => {
    expect(nearestOf(word, ['comparison', 'approvals', 'labels', 'minimumDays', 'id'])).toBe(nearest);
  });
});

describe('a key that a document may not have', () => {
  it('is named with its path and the nearest known key, or all that there are', () => {
    const schema = z.strictObject({ outer: z.strictObject({ approvals: z.int(), gates: z.int() }).partial() });
    const parse = (outer: object) => () => parseDocument(schema, { outer }, 'a file');
    expect(parse({ aprovals: 1 })).toThrow('a file is not valid: outer: no field aprovals; did you mean approvals?');
    expect(parse({ x: 1 })).toThrow('a file is not valid: outer: no field x; there are: approvals, gates');
  });

  it('is named in gatehouse.config.ts and governance/policy.ts as well', () => {
    const region = { ...config.environments.dev, acount: '111111111111' };
    expect(() => defineConfig({ ...config, environments: { ...config.environments, dev: region } })).toThrow(
      'gatehouse.config.ts is not valid: environments.dev: no field acount; did you mean account?',
    );
    expect(() => definePolicyFloor({ ...floor, drft: floor.drift } as typeof floor)).toThrow(
      'governance/policy.ts is not valid: (root): no field drft; did you mean drift?',
    );
  });
});

describe('a value that is none of those allowed', () => {
  it('is refused with those that are', () => {
    const retention = { ...config.retention, logDays: 31 as 30 };
    expect(() => defineConfig({ ...config, retention })).toThrow('retention.logDays: one of 30 or one of 90');
  });
});
