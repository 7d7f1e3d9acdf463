import { z } from 'zod';
import { Day } from '../model/definition.ts';

const Count = z.int().nonnegative();

/** How the labels that had arrived met the events of some days: what a join loses without a word. */
export const LabelJoins = z.strictObject({
  events: Count,
  /** Events that have a label. */
  labelled: Count,
  /** Labels as they were delivered, and those of them that a later or equal one of the same event replaces. */
  labels: Count,
  replaced: Count,
  /** Events of which labels say different things. */
  corrected: Count,
  /** Events whose newest label arrived before they happened. */
  early: Count,
  /** Ids of which there are several events, as on two days; counts of before do not say. */
  repeated: Count.default(0),
  /** By arrival day: labels whose event would be one of these days', and those of them that meet none. Days that lose none are left out. */
  due: Count,
  unmatched: Count,
  days: z.array(z.strictObject({ day: Day, due: Count, unmatched: Count })),
});
export type LabelJoins = z.infer<typeof LabelJoins>;

/** Says in lines what was lost in a join; nothing where nothing was. */
export function joinLines(joins: LabelJoins): string[] {
  const { events, labelled, labels, replaced, corrected, early, repeated, due, unmatched, days } = joins;
  const worst = days.toSorted((a, b) => b.unmatched - a.unmatched)[0];
  return [
    ...(labelled < events ? [`${events - labelled} of ${events} events have no label`] : []),
    ...(unmatched > 0
      ? [
          `${unmatched} of ${due} labels meet no event, most on ${worst?.day ?? '-'}: ${worst?.unmatched ?? 0} of ${worst?.due ?? 0}`,
        ]
      : []),
    ...(replaced > 0
      ? [`${replaced} of ${labels} labels are replaced by a later one, ${corrected} events are corrected by it`]
      : []),
    ...(repeated > 0 ? [`${repeated} ids are of several events, such as one on two days: training refuses them`] : []),
    ...(early > 0 ? [`${early} of ${labelled} labels arrived before their event`] : []),
  ];
}

/** Says in words what was lost in a join, or that nothing was. */
export function joinText(joins: LabelJoins): string {
  const lost = joinLines(joins).join('; ');
  if (lost !== '') return lost;
  return joins.events === 0
    ? 'no event is old enough to have its label'
    : `each of ${joins.events} events has its label, and each label its event`;
}

/** The same counts with the worst day alone: they travel through documents that have no room for every day. */
export function withWorstDay(joins: LabelJoins): LabelJoins {
  return { ...joins, days: joins.days.toSorted((a, b) => b.unmatched - a.unmatched).slice(0, 1) };
}
