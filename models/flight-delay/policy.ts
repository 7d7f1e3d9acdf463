import { definePolicy } from '#model/define-policy.ts';

export default definePolicy({
  // Tighter than the organisation's floor: two weeks of held-out days, so that every weekday is there twice.
  comparison: { minimumDays: 14, minimumRows: 10_000 },
  // The minute of the day is the input that says most by itself: 0.64 in two months of flights.
  data: { leakageAuc: 0.75 },
  // Rates move by the week and traffic by the weather, and a day has one weekday. Of what is left, no healthy day of the
  // half-year was above 0.031; kilometres, a clock five hours off and missing values were above 0.3 on every day.
  drift: { stable: ['minute_of_day', 'minute_of_five', 'distance'] },
  // Measured once in a local cloud; on AWS, pin what your own first load test reaches, or leave it to the best release.
  attestations: { load: { baseline: 2 } },
  // An example, in minutes of work: to prepare for a flight that is on time, and to be surprised by one that is not.
  costs: { falsePositive: 5, falseNegative: 20 },
});
