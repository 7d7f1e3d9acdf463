import { ROUNDING } from '../statistics/probability.ts';
import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { type JsonRow, rowToJson } from '../data/event-json.ts';
import { contextOf } from '../data/request-context.ts';
import { Day, type ModelDefinition } from '../model/definition.ts';

const Row = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/**
 * Raw events of one day, the context that they declare, and the probabilities that a release answered for them when it was made:
 * a file of each release whose model is online (`golden-request.json`). The aggregates that they need are files beside it.
 */
export const GoldenRequest = document(
  'golden-request.json',
  z
    .strictObject({
      formatVersion: z.literal(1),
      day: Day,
      events: z.array(Row).min(1),
      context: z.array(Row),
      probabilities: z.array(z.number().min(0).max(1)),
    })
    .refine(({ events, probabilities }) => events.length === probabilities.length, {
      path: ['probabilities'],
      message: 'one for each event',
    }),
);
export type GoldenRequest = z.infer<typeof GoldenRequest>;

/** How many events a golden request has: one from each third of a day, so that their features differ. */
const GOLDEN_EVENTS = 3;

type Row = Readonly<Record<string, string | number | bigint | boolean | null>>;
interface TimedRow {
  readonly row: Row;
  /** Microseconds since 1970, in UTC. */
  readonly at: bigint;
}

/** The events of a golden request, spread over a day, and their declared context; no events where a request could hold none of the day. */
export function chooseGoldenEvents(
  definition: Pick<ModelDefinition, 'events' | 'online'>,
  day: string,
  read: readonly TimedRow[],
): { readonly events: readonly JsonRow[]; readonly context: readonly JsonRow[] } {
  const { id, time } = definition.events;
  // In an order of their own: that of the files is an accident.
  const events = read
    .filter(({ row }) => Object.values(row).every(isSendable))
    .toSorted((a, b) => (a.at === b.at ? compare(String(a.row[id]), String(b.row[id])) : compare(a.at, b.at)));
  const own = events.filter(({ row }) => String(row[time]).startsWith(day));
  const count = Math.min(GOLDEN_EVENTS, definition.online?.maxRows ?? 0, own.length);
  const chosen = Array.from({ length: count }, (_, each) => own[Math.floor(((each + 1) * own.length) / (count + 1))]);
  const asked = chosen.filter((each) => each !== undefined);
  const needed = new Set(asked.flatMap((event) => contextOf(definition, event, events)));
  for (const { row } of asked) needed.delete(row);
  return {
    events: asked.map(({ row }) => rowToJson(row)),
    context: events.flatMap(({ row }) => (needed.has(row) ? [rowToJson(row)] : [])),
  };
}

/** A file may hold infinite numbers and NaN; JSON does not, and so no request. */
function isSendable(value: Row[string]): boolean {
  return typeof value !== 'number' || Number.isFinite(value);
}

function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : Number(a > b);
}

/**
 * Which promised probability of a golden request an answer does not give, in words; undefined where it gives all. As with golden
 * rows, another processor may add in another order: what differs by no more than that is the same.
 */
export function whyNotGolden(golden: GoldenRequest, probabilities: readonly number[]): string | undefined {
  const different = golden.probabilities.findIndex(
    (promised, index) => !(Math.abs(promised - (probabilities[index] ?? Number.NaN)) <= ROUNDING),
  );
  if (different === -1) return undefined;
  return `event ${different} gives ${String(probabilities[different])}, promised ${String(golden.probabilities[different])}`;
}
