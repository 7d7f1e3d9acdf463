import { defineCard } from '#model/define-card.ts';

export default defineCard({
  intendedUse: [
    'The reference model of this project: it shows what retraining on late labels looks like.',
    'Its predictions can rank the flights of the last days for someone who prepares rebooking or compensation before the carriers have reported.',
  ],
  outOfScope: [
    'Decisions about single passengers or crews.',
    'Flights that have not departed yet, flights of today, and flights outside the United States.',
  ],
  limits: [
    'Its data is the first half of 2001; it knows no weather, no aircraft and no schedule. It ranks moderately: its area under the ROC curve is about 0.74 on all flights, and lower on a sample.',
    'The share of late flights swings by a factor of four from week to week, and no input announces it: observed / predicted lies between 0.6 and 1.6 by week. Read a probability as a rank before you read it as a rate.',
    '5,817 departures past midnight are recorded 24 hours early in the source. They are moved to the next day by a rule (the clock shows fewer minutes than the delay, and an hour before six), not by a correction of the source.',
    'Labels arrive 24 to 72 hours after landing by a made-up delay, because the source does not say when a carrier reported.',
    'In a sample of the flights, traffic and the rates of small airports are thinned out.',
  ],
  ethics: [
    'Rows are flights; no feature describes a person. Airports stand for regions all the same: if help were given by these predictions, airports whose flights are predicted worse would get less of it. Slices by origin show it where the policy names that column.',
  ],
});
