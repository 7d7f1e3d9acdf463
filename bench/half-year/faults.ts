// What can go wrong with a week's retraining run. A fault is there when the run reads its data, trains, or serves what it
// trained, and is corrected before the next week's run: what was served in that week is judged on what really happened.
import { addDays } from '#domain/data/partition.ts';
import type { DayRange } from '#domain/data/windows.ts';

/** How a fault gets into a run. Each SQL is an expression of the columns of a feature partition joined with the truth `late`. */
export interface Fault {
  readonly meaning: string;
  /** A damage of the replay, in all partitions of the last `FAULT_DAYS` days that the run reads. */
  readonly damage?: string;
  /** What the run trains and is tested on, in place of a feature: what exists only after the event. */
  readonly learned?: Readonly<Record<string, string>>;
  /** What its release is served, in place of a feature. */
  readonly served?: Readonly<Record<string, string>>;
  /** What its release says, in place of the prediction `p`, wherever it is asked. */
  readonly says?: string;
  /** The training program leaves a model that gives every row the base rate. */
  readonly isConstant?: true;
}

/** How far back a source is damaged: six weeks reach into each training window, and leave weeks before them to compare with. */
const FAULT_DAYS = 42;

/** Every fault there is. */
export const FAULTS = {
  'flipped-labels': { meaning: 'three in ten labels say the opposite', damage: 'flipped-labels' },
  'half-missing': { meaning: 'every second event is gone', damage: 'half-missing' },
  'constant-model': { meaning: 'training leaves the base rate', isConstant: true },
  kilometres: { meaning: 'distances in kilometres instead of miles', damage: 'kilometres' },
  'shifted-clock': { meaning: 'the local clock five hours off', damage: 'shifted-clock' },
  'leaked-label': {
    meaning: "yesterday's rate at the destination counts the flight's own outcome, for one flight in three",
    learned: { destination_rate_1d: "destination_rate_1d + CASE WHEN late AND id_hash < '55' THEN 0.2 ELSE 0 END" },
  },
  'serving-skew': {
    meaning: 'learned on the local clock, served on UTC',
    served: { minute_of_day: 'hour(time) * 60 + minute(time)', weekday: 'isodow(time)' },
  },
  'bad-airport': {
    meaning: 'at the busiest airport the odds of a delay are told three times as high',
    says: "CASE WHEN entity = 'ORD' THEN 3 * p / (1 + 2 * p) ELSE p END",
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** Which weeks have which fault. */
export type Schedule = ReadonlyMap<number, FaultKind>;

/** One of each kind in every second week from the fifth on, when there is a history to be damaged. */
export const DEFAULT_SCHEDULE = FAULT_KINDS.map((kind, index) => `${5 + 2 * index}:${kind}`).join(',');

/** Reads `5:kilometres,7:constant-model`. @throws RangeError with what is allowed */
export function parseSchedule(text: string, weeks: number): Schedule {
  const schedule = new Map<number, FaultKind>();
  for (const entry of text.split(',').filter((each) => each !== '')) {
    const [week = '', name = ''] = entry.split(':');
    const kind = FAULT_KINDS.find((each) => each === name);
    const number = Number(week);
    if (kind === undefined) throw new RangeError(`fault '${name}', allowed: ${FAULT_KINDS.join(', ')}`);
    if (!Number.isInteger(number) || number < 2 || number > weeks || schedule.has(number))
      throw new RangeError(`week '${week}' of ${entry}, allowed: 2 to ${weeks}, each once`);
    schedule.set(number, kind);
  }
  return schedule;
}

/** The days whose partitions a run of a day sees damaged. */
export function damagedDays(asOf: string): DayRange {
  return { first: addDays(asOf, -FAULT_DAYS), last: addDays(asOf, -1) };
}

/** A fault by its name; the names are one type, the faults another, so that each may lack what others have. */
export function faultOf(kind: FaultKind): Fault {
  return FAULTS[kind];
}
