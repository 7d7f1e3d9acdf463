import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { addDays } from '../data/partition.ts';
import { ABSENT, equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { Day, type ModelDefinition, ModelName } from '../model/definition.ts';

/** Daily aggregates by their digests in the lake, oldest first, without a gap. */
export const AggregateDays = z.array(z.strictObject({ day: Day, digest: Digest }));
export type AggregateDays = Readonly<z.infer<typeof AggregateDays>>;

/** Which daily aggregates an endpoint loads, as an object by digest that receipts name. */
export const AggregatesList = document(
  'list of daily aggregates',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    /** `aggregateBasis` of the definitions that they are for. */
    basis: Digest,
    /** The first day of events that there is: days before it have no aggregates that could be missing. */
    historyFrom: Day,
    days: AggregateDays,
  }),
);
export type AggregatesList = z.infer<typeof AggregatesList>;

/** The list that is current for a basis: written by the batch run or promotion that saw that each of its aggregates is built. */
export const PublishedAggregates = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  basis: Digest,
  list: Digest,
  /** The newest day of the list. */
  until: Day,
  run: z.string().min(1),
  epoch: z.int(),
  publishedAt: z.iso.datetime(),
});
export type PublishedAggregates = z.infer<typeof PublishedAggregates>;

/** The write that makes a list current, as long as the list that its planner saw still is: null where there was none. */
export function aggregatesWrite(published: PublishedAggregates, replaces: Digest | null): Write {
  const item = { ...keys.aggregates(published.model, published.basis), ...published };
  return { kind: 'put', item, condition: replaces === null ? ABSENT : equals({ list: replaces }) };
}

/** The part of a list that features of a day's events may see: what a batch would give them, as far as it is there. */
export function aggregatesFor(
  days: AggregateDays,
  day: string,
  { features }: Pick<ModelDefinition, 'features'>,
): AggregateDays {
  const first = addDays(day, -features.aggregateDays);
  return days.filter((each) => each.day >= first && each.day < day);
}

/**
 * The days whose events are answered on a day: itself, the day before, and of the newest aggregates their own day, whose batch can be
 * compared, and the day that they are for; in a replay of history those are others. The last is the one that requests are expected of.
 *
 * @param until the newest day of the published aggregates; undefined where the model has none
 */
export function servedDays(today: string, until: string | undefined): readonly string[] {
  const newest = until === undefined ? today : addDays(until, 1);
  // A list ends before the day that it is made for; what is of a day that has not come is served by nobody.
  const last = newest < today ? newest : today;
  return [...new Set([addDays(last, -1), addDays(today, -1), today, last])];
}
