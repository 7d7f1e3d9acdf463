import type { LabelJoins } from '#domain/data/label-joins.ts';

/** Labels and events that meet as they should. */
export const JOINS: LabelJoins = {
  events: 10_000,
  labelled: 9900,
  labels: 9900,
  replaced: 0,
  corrected: 0,
  early: 0,
  repeated: 0,
  due: 9900,
  unmatched: 0,
  days: [],
};

/** The same with labels that meet no event, on two days. */
export const LOST: LabelJoins = {
  ...JOINS,
  unmatched: 30,
  days: [
    { day: '2001-01-03', due: 500, unmatched: 10 },
    { day: '2001-01-04', due: 400, unmatched: 20 },
  ],
};
