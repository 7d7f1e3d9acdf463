import type { ModelDefinition } from '#domain/model/definition.ts';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import { withDatabase } from './database.ts';
import { checkDaily, checkFeatures } from './feature-checks.ts';
import { emptyDaily, lockIn, runSql } from './featurizer.ts';
import { hiddenSchema, preload } from './preloaded.ts';
import { inspectSql, type SqlRefusal, TABLES_OF } from './sql-guard.ts';

type SqlFile = keyof typeof TABLES_OF;

const LIMITS = { milliseconds: 10_000, memory: ENGINE_MEMORY };
/** Any day: there are no rows of it. */
const DAY = '2000-01-01';

/**
 * Which of a model's SQL files would be refused for every day, before there is any data: each is inspected, run on empty
 * tables of the declared columns, and what it gives is checked.
 */
export async function refusedSql(
  definition: Pick<ModelDefinition, 'events' | 'labels' | 'features'>,
  sql: Readonly<Record<SqlFile, string>>,
): Promise<Partial<Record<SqlFile, SqlRefusal>>> {
  return withDatabase(ENGINE_MEMORY, async (connection) => {
    const schema = hiddenSchema(sql.daily, sql.features);
    const result = `${schema}.result`;
    const tables = await preload(connection, definition, { events: [], labels: [], daily: [] }, schema);
    const inspected = {
      daily: await inspectSql(connection, sql.daily, TABLES_OF.daily),
      features: await inspectSql(connection, sql.features, TABLES_OF.features),
    };
    await lockIn(connection, []);
    await tables.put('events', []);
    await tables.put('labels', []);
    const daily =
      inspected.daily ??
      (await runSql(connection, sql.daily, result, DAY, LIMITS)) ??
      (await checkDaily(connection, result)) ??
      (await emptyDaily(connection, schema, sql.daily, tables));
    // Without aggregates nobody knows which columns features may read of them.
    const features =
      inspected.features ??
      (daily === undefined
        ? ((await runSql(connection, sql.features, result, DAY, LIMITS)) ??
          (await checkFeatures(connection, result, DAY, definition)))
        : undefined);
    return { ...(daily === undefined ? {} : { daily }), ...(features === undefined ? {} : { features }) };
  });
}
