import { type Refusal, refusal, type Refusing } from '../refusal/refusal.ts';
import type { ModelDefinition } from '../model/definition.ts';
import { addDays, daysBetween } from './partition.ts';

/** Days from the first to the last, both included. */
export interface DayRange {
  readonly first: string;
  readonly last: string;
}

/** Days of events, and the days on which labels that may be used for them had arrived. */
export interface Slice {
  readonly events: DayRange;
  readonly labels: DayRange;
}

/** The days of a retraining run, pinned at its logical time. */
export interface WindowPlan {
  readonly kind: 'planned';
  readonly asOf: string;
  readonly windows: readonly (Slice & { readonly name: string })[];
  /** Windows that the history cannot fill yet, each with the reason. */
  readonly skipped: readonly { readonly name: string; readonly refusal: Refusal }[];
  readonly selection: Slice;
  readonly test: Slice;
}

/**
 * Pins the days of training, selection and test at the start of day `asOf`, when the data of the day before is whole.
 * The newest events whose labels have all arrived test the chosen candidate, those before them choose it, and training
 * sees only events whose labels had all arrived before the first day that chooses.
 */
export function planWindows(
  definition: Pick<ModelDefinition, 'windows' | 'evaluation' | 'labels'>,
  asOf: string,
  history: DayRange,
): WindowPlan | { readonly kind: 'refused'; readonly refusal: Refusal } {
  const { selectionDays, testDays } = definition.evaluation;
  const mature = definition.labels.matureAfterDays;
  const known = addDays(asOf, -1);
  // The labels of day D have arrived by the end of day D + mature.
  const testLast = addDays(known, -mature);
  const testFirst = addDays(testLast, 1 - testDays);
  const selectionFirst = addDays(testFirst, -selectionDays);
  const trainingLast = addDays(selectionFirst, -1 - mature);
  if (history.last < testLast) {
    return refused(
      'history-reaches-test',
      `events end on ${history.last}, the test needs them until ${testLast}`,
      'admit the missing days or run as of an earlier day',
    );
  }
  if (history.first > trainingLast) {
    const enough = addDays(asOf, daysBetween(trainingLast, history.first).length - 1);
    return refused(
      'history-long-enough',
      `events begin on ${history.first}, training would end on ${trainingLast}`,
      `run as of ${enough} or later`,
    );
  }
  const windows: (Slice & { name: string })[] = [];
  const skipped: { name: string; refusal: Refusal }[] = [];
  const labels = { first: history.first, last: addDays(selectionFirst, -1) };
  for (const window of definition.windows) {
    const wanted = 'since' in window ? window.since : addDays(trainingLast, 1 - window.days);
    // A growing window begins where the history does; a window of so many days is nothing else.
    const first = 'since' in window && wanted < history.first ? history.first : wanted;
    if (first < history.first || first > trainingLast) {
      const found = `it would begin on ${first}, events are there from ${history.first} and train until ${trainingLast}`;
      skipped.push({
        name: window.name,
        refusal: { rule: 'window-fits-history', found, remedy: 'wait for more days or shorten the window' },
      });
    } else {
      windows.push({ name: window.name, events: { first, last: trainingLast }, labels: { ...labels, first } });
    }
  }
  if (windows.length === 0) {
    return refused(
      'some-window-fits-history',
      skipped.map((each) => `${each.name}: ${each.refusal.found}`).join('; '),
      'wait for more days or shorten a window',
    );
  }
  return {
    kind: 'planned',
    asOf,
    windows,
    skipped,
    selection: {
      events: { first: selectionFirst, last: addDays(testFirst, -1) },
      labels: { first: selectionFirst, last: known },
    },
    test: { events: { first: testFirst, last: testLast }, labels: { first: testFirst, last: known } },
  };
}

function refused(...why: Refusing): { kind: 'refused'; refusal: Refusal } {
  return { kind: 'refused', refusal: refusal(...why) };
}
