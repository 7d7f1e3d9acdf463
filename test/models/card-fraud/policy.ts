import { definePolicy } from '#model/define-policy.ts';

/** The organisation's floor, stable inputs, and what errors cost: a payment that is inspected in vain, and a dispute that was missed. */
export default definePolicy({
  drift: { stable: ['amount', 'hour', 'abroad_flag'] },
  attestations: { load: { baseline: 1 } },
  costs: { falsePositive: 1, falseNegative: 4 },
});
