import { definePolicy } from '#model/define-policy.ts';

/** What this model asks beyond governance/policy.ts: it may tighten the organisation's floor and never loosen it. */
export default definePolicy({});
