import type { z } from 'zod';
import { parseDocument } from '#domain/canonical/digest.ts';
import { PolicyFloor } from '#domain/policy/policy.ts';
import type { PolicyTightening } from '#domain/policy/tightening.ts';

/** The organisation's floor: the default export of `governance/policy.ts`. An error names the path and the allowed values. */
export function definePolicyFloor(floor: z.input<typeof PolicyFloor>): PolicyFloor {
  return parseDocument(PolicyFloor, floor, 'governance/policy.ts');
}

/** What a model asks beyond the floor: the default export of `models/<name>/policy.ts`. */
export function definePolicy(policy: PolicyTightening): PolicyTightening {
  return policy;
}
