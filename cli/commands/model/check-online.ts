import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readEvents, readFeatures } from '#adapters/duckdb/event-rows.ts';
import { onlineFeatures } from '#adapters/duckdb/online.ts';
import { FEATURE_ENGINE } from '#domain/data/engines.ts';
import { featurePlanner } from '#domain/data/feature-plan.ts';
import { addDays } from '#domain/data/partition.ts';
import { contextOf } from '#domain/data/request-context.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { OnlineFeatures, ReadEvent } from '#ports/online-features.ts';
import type { Context } from '../../context.ts';
import { RefusedError } from '../../refusal.ts';
import { type BuiltDay, buildLocally, byDay, filesOf, localCatalogue } from './local-features.ts';

/** Of how many of the newest days events are tried, and how many of all. */
const SAMPLE = { days: 3, events: 300 } as const;

/** What a try of an online model's declaration found. */
export interface CheckedOnline {
  readonly days: readonly string[];
  readonly events: number;
  /** How many of them have other features than batch. */
  readonly different: number;
  readonly lines: readonly string[];
  readonly refusal: Refusal | undefined;
}

type Model = { readonly definition: ModelDefinition; readonly folder: string };

/**
 * Tries whether requests get the features of batch: of some hundred events the day is cut off at the event, only the declared
 * context is left, and what is computed then is compared bit by bit with the features of the whole day. Where they differ with all
 * that happened until the event as well, features look ahead.
 */
export async function checkOnline(
  context: Pick<Context, 'home' | 'note'>,
  { definition, folder }: Model,
  given: { readonly events: readonly string[]; readonly labels: readonly string[] },
): Promise<CheckedOnline> {
  const events = await localCatalogue('events', byDay(given.events, context));
  const catalogue = [...events, ...(await localCatalogue('labels', byDay(given.labels, context)))];
  const planned = featurePlanner(definition, FEATURE_ENGINE, catalogue);
  const days = events.flatMap(({ day }) => {
    const plan = planned(day);
    return plan.ready && (plan.daily.length > 0 || definition.features.aggregateDays === 0) ? [day] : [];
  });
  const newest = days.slice(-SAMPLE.days);
  const out = join(context.home, 'check', definition.name, 'online');
  const built = await buildLocally(definition, folder, catalogue, newest, out);
  const sql = {
    daily: await readFile(join(folder, definition.features.daily.path), 'utf8'),
    features: await readFile(join(folder, definition.features.features.path), 'utf8'),
  };
  const found: Found[] = [];
  let tried = 0;
  for (const day of built) {
    const online = await onlineFeatures.open({ definition, sql, daily: day.daily });
    try {
      const seen = addDays(day.day, -definition.features.eventDays);
      const files = filesOf(events.filter((each) => each.day >= seen && each.day <= day.day));
      const read = await readEvents(definition, files);
      if (read.kind === 'refused') throw new RefusedError(read.refusal);
      const result = await tryDay(online, definition, day, read.events, Math.ceil(SAMPLE.events / built.length));
      tried += result.tried;
      found.push(...result.found);
    } finally {
      await online.close();
    }
  }
  const [first] = found;
  const says = `${tried} events of ${newest.join(', ')}: ${tried - found.length} have the features of the whole day`;
  return {
    days: newest,
    events: tried,
    different: found.length,
    lines: [tried === 0 ? '  not tried: give files of a day and of all that its features need' : `  ${says}`],
    refusal: first === undefined ? undefined : refusalOf(first, found.length, tried),
  };
}

/** An event whose features differ: the first feature that does, of the whole day and of what a request has. */
interface Found {
  readonly what: string;
  readonly whole: number | null | undefined;
  readonly request: number | null | undefined;
  /** Whether it differs with all that happened until the event as well. */
  readonly looksAhead: boolean;
}

async function tryDay(
  online: OnlineFeatures,
  definition: ModelDefinition,
  { day, file }: BuiltDay,
  events: readonly ReadEvent[],
  most: number,
): Promise<{ readonly tried: number; readonly found: readonly Found[] }> {
  const { id, time } = definition.events;
  const batch = await readFeatures(definition, file);
  const own = events.filter(({ row }) => String(row[time]).startsWith(day)).toSorted((a, b) => Number(a.at - b.at));
  const sample = own.filter((_, index) => index % Math.ceil(own.length / most) === 0);
  const found: Found[] = [];
  for (const event of sample) {
    const whole = batch.get(String(event.row[id])) ?? definition.features.columns.map(() => null);
    const featuresWith = async (context: readonly ReadEvent['row'][]): Promise<readonly (number | null)[]> => {
      const made = await online.featuresOf({ events: [event.row], context });
      if (made.kind === 'refused') throw new RefusedError(made.refusal);
      return made.rows[0] ?? [];
    };
    const different = (request: readonly (number | null)[], looksAhead: boolean): Found | undefined => {
      const at = whole.findIndex((value, index) => !Object.is(value, request[index]));
      const what = `${definition.features.columns[at] ?? ''} of ${id} ${String(event.row[id])}`;
      return at === -1 ? undefined : { what, whole: whole[at], request: request[at], looksAhead };
    };
    const difference = different(await featuresWith(contextOf(definition, event, events)), false);
    if (difference === undefined) continue;
    const before = events.filter((each) => each.at <= event.at && each !== event).map(({ row }) => row);
    // Why is said of the first one only: all that happened takes its time.
    found.push((found.length === 0 ? different(await featuresWith(before), true) : undefined) ?? difference);
  }
  return { tried: sample.length, found };
}

function refusalOf({ what, whole, request, looksAhead }: Found, different: number, tried: number): Refusal {
  const values = `${what} is ${String(whole)} of the whole day`;
  const count = `${different} of ${tried} events differ`;
  return looksAhead
    ? {
        rule: 'features-known-in-time',
        found: `${values}, ${String(request)} of what happened until the event; ${count}`,
        remedy: 'let features.sql read no event that is later than the row’s own',
      }
    : {
        rule: 'context-suffices',
        found: `${values}, ${String(request)} of the declared context; ${count}`,
        remedy: 'widen online.context in model.ts',
      };
}
