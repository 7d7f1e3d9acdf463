// What a request waits for its features: one event and a hundred, with what it brings, beside the same SQL on the whole day.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildDaily } from '#adapters/duckdb/featurizer.ts';
import { readEvents } from '#adapters/duckdb/event-rows.ts';
import { openOnline } from '#adapters/duckdb/online.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { contextOf } from '#domain/data/request-context.ts';
import type { EventRow, OnlineFeatures } from '#ports/online-features.ts';
import { flights } from './_flights.ts';
import { type Figure, figure, quantile, report } from './_report.ts';

const DAY = '2001-04-18';
/** What the quickstart lands. */
const SAMPLE = 0.1;
const REQUESTS = 400;
const WARM_UP = 20;

const { definition, sql, landed } = await flights(SAMPLE);
const { aggregateDays, eventDays } = definition.features;
const folder = join(import.meta.dirname, '../.gatehouse/bench/online');
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const filesOf = (kind: 'events' | 'labels', first: string, last: string) =>
  landed.filter((each) => each.kind === kind && each.day >= first && each.day <= last);
const daily = daysBetween(addDays(DAY, -aggregateDays), addDays(DAY, -1)).map((day) => ({
  day,
  file: join(folder, `${day}.parquet`),
}));
const built = await buildDaily({
  sql: sql.daily,
  definition,
  items: daily.map(({ day, file }) => ({
    day,
    events: filesOf('events', addDays(day, -eventDays), day),
    labels: filesOf('labels', day, day),
    out: file,
  })),
});
for (const result of built) if (result.kind === 'refused') throw new Error(result.refusal.found);
const read = await readEvents(definition, filesOf('events', addDays(DAY, -1), DAY));
if (read.kind === 'refused') throw new Error(read.refusal.found);
const own = read.events.filter(({ row }) => String(row[definition.events.time]).startsWith(DAY));
const evenly = own.filter((_, index) => index % Math.floor(own.length / (REQUESTS + WARM_UP)) === 0);

type Request = { readonly events: readonly EventRow[]; readonly context: readonly EventRow[] };
const one: Request[] = evenly.map((event) => ({
  events: [event.row],
  context: contextOf(definition, event, read.events),
}));
const hundred: Request[] = Array.from({ length: 40 }, (_, index) => {
  const events = own.slice(index * 35, index * 35 + 100);
  const context = new Set(events.flatMap((event) => contextOf(definition, event, read.events)));
  return { events: events.map(({ row }) => row), context: [...context] };
});
const whole: Request[] = evenly
  .slice(0, 60)
  .map(({ row }) => ({ events: [row], context: own.map((each) => each.row) }));

/** Milliseconds of each request. */
async function times(online: OnlineFeatures, requests: readonly Request[]): Promise<readonly number[]> {
  const found: number[] = [];
  for (const [index, request] of requests.entries()) {
    const began = performance.now();
    const made = await online.featuresOf(request);
    if (index >= Math.min(WARM_UP, requests.length / 4)) found.push(performance.now() - began);
    if (made.kind === 'refused') throw new Error(made.refusal.found);
  }
  return found;
}

const began = performance.now();
const folded = await openOnline({ definition, sql, daily });
const opened = performance.now() - began;
const loading = performance.now();
await folded.load(daily);
const loaded = performance.now() - loading;
const written = await openOnline({ definition, sql, daily }, false);
const ours = {
  one: await times(folded, one),
  hundred: await times(folded, hundred),
  whole: await times(folded, whole),
};
const anchor = {
  one: await times(written, one.slice(0, 120)),
  hundred: await times(written, hundred),
  whole: await times(written, whole),
};
await folded.close();
await written.close();

const both = (what: string, of: keyof typeof ours, most?: number): Figure[] =>
  [0.5, 0.99].map((share) =>
    figure(
      `${what}, p${share * 100}`,
      'ms',
      quantile(ours[of], share),
      ['SQL as it is written', quantile(anchor[of], share)],
      most === undefined || share > 0.5 ? {} : { oursAtMost: most },
    ),
  );
report(
  'online-features',
  {
    title: 'Features on request',
    about: `Milliseconds from a request to its features, one thread, in process: ${REQUESTS} flights of ${DAY} (a tenth of all flights, as the quickstart lands them) with the declared context of each, 40 requests of 100 flights, and flights with their whole day. Ours computes parts that read aggregates alone once a day; the anchor runs the SQL as it is written, prepared as well.`,
    versions: {},
  },
  [
    ...both('one event with its context', 'one', 5),
    ...both('a hundred events with their context', 'hundred', 10),
    ...both('one event with its whole day', 'whole'),
    figure('open a recipe with its aggregates', 'ms', opened, ['nothing comparable', null], {}),
    figure('load other aggregates', 'ms', loaded, ['nothing comparable', null], {}),
  ],
);
