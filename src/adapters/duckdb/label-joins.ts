import type { DuckDBConnection } from '@duckdb/node-api';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import type { LabelJoins } from '#domain/data/label-joins.ts';
import { addDays } from '#domain/data/partition.ts';
import { type ModelDefinition, typeOf } from '#domain/model/definition.ts';
import { literal, name, numberOf, type Refused, rowsOf, withinMemory } from './database.ts';
import { loadEvents, loadLabels } from './inputs.ts';
import type { DayFile } from '#ports/feature-engine.ts';

type Definition = Pick<ModelDefinition, 'events' | 'labels'>;

/** What labels say of themselves, before they meet events. */
export type LabelCounts = Pick<LabelJoins, 'labels' | 'replaced' | 'corrected'>;

/** How the labels of some files meet the events of some days. Events whose labels cannot all have arrived are not counted as without one. */
export async function measureLabelJoins(input: {
  readonly events: readonly DayFile[];
  readonly labels: readonly DayFile[];
  readonly definition: Definition;
}): Promise<{ readonly kind: 'measured'; readonly joins: LabelJoins } | Refused> {
  const { events, labels, definition } = input;
  const about = () => `ids of ${events.length} files of events and ${labels.length} of labels`;
  const result = await withinMemory({ memory: ENGINE_MEMORY, about, spills: true }, async (connection) => {
    const unread = await loadLabels(connection, definition, labels);
    if (unread !== undefined) return unread;
    const delivered = await countLabels(connection, definition);
    await rankLabels(connection, definition.labels);
    await createIds(connection, definition);
    for (const file of events) {
      const refusal = await loadEvents(connection, definition, [file]);
      if (refusal !== undefined) return refusal;
      const { id, time } = definition.events;
      await connection.run(`INSERT INTO ids SELECT 0, ${name(id)}, ${name(time)} FROM events`);
    }
    const days = events.map(({ day }) => day).toSorted();
    const newest = labels.reduce((latest, { day }) => (day > latest ? day : latest), '0001-01-01');
    const span = { first: days[0] ?? '', last: days.at(-1) ?? '' };
    const mature = addDays(newest, -definition.labels.matureAfterDays);
    return {
      kind: 'measured',
      joins: { ...delivered, ...(await countJoins(connection, definition.labels, { ...span, mature })) },
    } as const;
  });
  return 'rule' in result ? { kind: 'refused', refusal: result } : result;
}

/** Table `ids` (part, id, happened): the events that are joined, of whichever file. */
export async function createIds(connection: DuckDBConnection, { events }: Pick<Definition, 'events'>): Promise<void> {
  const idType = typeOf(events.columns[events.id]) ?? 'VARCHAR';
  await connection.run(`CREATE TABLE ids (part INTEGER, id ${idType}, happened TIMESTAMP)`);
}

/** Labels as they were delivered: how many, and how many say again or otherwise what an earlier one of the event said. */
export async function countLabels(
  connection: DuckDBConnection,
  { labels }: Pick<ModelDefinition, 'labels'>,
): Promise<LabelCounts> {
  const [found = {}] = await rowsOf(
    connection,
    `SELECT coalesce(sum(rows), 0) AS labels, coalesce(sum(rows - 1), 0) AS replaced, count(*) FILTER (low <> high) AS corrected
     FROM (SELECT count(*) AS rows, min(${name(labels.value)}) AS low, max(${name(labels.value)}) AS high
           FROM labels GROUP BY ${name(labels.join)})`,
  );
  return {
    labels: Number(found['labels']),
    replaced: Number(found['replaced']),
    corrected: Number(found['corrected']),
  };
}

/**
 * What a join of the tables `ids` and `newest_labels` loses, of events from the day `first` to `last`; those after the day
 * `mature` may get their label yet.
 */
export async function countJoins(
  connection: DuckDBConnection,
  { matureAfterDays }: Definition['labels'],
  { first, last, mature }: { readonly first: string; readonly last: string; readonly mature: string },
): Promise<Omit<LabelJoins, keyof LabelCounts>> {
  const [found = {}] = await rowsOf(
    connection,
    `SELECT count(*) FILTER (isDue) AS events, count(*) FILTER (isDue AND arrived IS NOT NULL) AS labelled, count(*) FILTER (isDue AND arrived < happened) AS early
     FROM (SELECT happened, arrived, CAST(CAST(happened AS DATE) AS VARCHAR) <= ${literal(mature)} AS isDue
           FROM ids LEFT JOIN (SELECT DISTINCT id, arrived FROM newest_labels) USING (id))`,
  );
  // A label that arrives on the first days may be of an event before them, and one after the last day of a later one.
  const days = await rowsOf(
    connection,
    `SELECT CAST(CAST(arrived AS DATE) AS VARCHAR) AS day, count(*) AS due, count(*) FILTER (id NOT IN (SELECT id FROM ids)) AS unmatched
     FROM (SELECT DISTINCT id, arrived FROM newest_labels)
     WHERE CAST(CAST(arrived AS DATE) AS VARCHAR) BETWEEN ${literal(addDays(first, matureAfterDays))} AND ${literal(last)}
     GROUP BY ALL ORDER BY 1`,
  );
  const byDay = days.map(({ day, due, unmatched }) => ({
    day: String(day),
    due: Number(due),
    unmatched: Number(unmatched),
  }));
  return {
    events: Number(found['events']),
    labelled: Number(found['labelled']),
    early: Number(found['early']),
    repeated: await numberOf(connection, 'SELECT count(*) FROM (SELECT id FROM ids GROUP BY id HAVING count(*) > 1)'),
    due: byDay.reduce((sum, { due }) => sum + due, 0),
    unmatched: byDay.reduce((sum, { unmatched }) => sum + unmatched, 0),
    days: byDay.filter(({ unmatched }) => unmatched > 0),
  };
}

/** Table `newest_labels` (id, value, arrived) with each label that no later one of the same id replaces; what is there twice is one. */
export async function rankLabels(connection: DuckDBConnection, labels: Definition['labels']): Promise<void> {
  await connection.run(
    `CREATE TABLE newest_labels AS
     SELECT DISTINCT labels.${name(labels.join)} AS id, labels.${name(labels.value)} AS value, labels.${name(labels.arrivedAt)} AS arrived FROM labels
     QUALIFY rank() OVER (PARTITION BY labels.${name(labels.join)} ORDER BY labels.${name(labels.arrivedAt)} DESC) = 1`,
  );
}
