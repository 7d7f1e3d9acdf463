import { definePolicy } from '#model/define-policy.ts';

/** The organisation's floor, and what it costs to be wrong: a payment that is looked at in vain, and a dispute that was not seen. */
export default definePolicy({ costs: { falsePositive: 1, falseNegative: 4 } });
