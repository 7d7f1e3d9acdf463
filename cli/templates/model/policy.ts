import { definePolicy } from '#model/define-policy.ts';

/** What this model asks beyond governance/policy.ts: it may tighten the organisation's floor and never loosen it. */
export default definePolicy({
  // Inputs that healthy days leave as they are: when one moves, people are told and dev retrains. Rates move by themselves.
  drift: { stable: ['amount', 'hour'] },
});
