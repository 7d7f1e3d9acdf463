import { definePolicy } from '#model/define-policy.ts';

/** Tighter than the organisation's floor: two weeks of held-out days, so that every weekday is there twice. */
export default definePolicy({
  comparison: { minimumDays: 14, minimumRows: 10_000 },
  // The minute of the day is the input that says most by itself: 0.64 in two months of flights.
  data: { leakageAuc: 0.75 },
});
