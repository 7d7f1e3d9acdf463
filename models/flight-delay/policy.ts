import { definePolicy } from '#model/define-policy.ts';

/** Tighter than the organisation's floor: two weeks of held-out days, so that every weekday is there twice. */
export default definePolicy({ comparison: { minimumDays: 14, minimumRows: 10_000 } });
